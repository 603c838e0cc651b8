// The agent's log. Rule: words and fields are redacted here, so a secret that is handed in by mistake still does not come out.

/** What a log line may carry beside its words. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** The same log, its lines marked with `name`. */
  scope(name: string): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn'];
const SECRET_FIELD = /pass|secret|token|code|words|key|credential/i;
const SECRET_TEXT = /((?<!urn:)git-xmpp:[^\s#]+#)[^\s"'<>]+|(AGE-SECRET-KEY-)\S+|(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*/gi;
/** A password in a URL, or a token in the place of its user (RFC 3986, section 3.2.1); up to the last `@`, for people write one unescaped. */
const SECRET_IN_URL = /(\b(?:https?:\/\/|[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:))[^\s/]+(?=@)/gi;

/** A token in the query of a URL, or one that is known by how it begins (GitHub's, GitLab's). */
const SECRET_TOKEN = /([?&](?:[a-z]+[_-])*(?:token|key|secret|password|auth)=)[^&\s#"']+|\b(gh[pousr]_|github_pat_|glpat-)\w+/gi;
/** A code that pairs two devices (pairing/words.ts). A branch may be called so as well: where a person reads it, it stays. */
const CODE = /\b\d{1,4}-[a-z]{3,}-[a-z]{3,}/gi;
/** What stands behind the name of a secret, as in settings, headers and lines of `git credential`. */
const NAMED = /((?<![a-z])(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credential)["']?\s*[=:]\s*|\bauthorization["']?\s*[=:]\s*["']?(?:bearer\s|basic\s)?\s*|\b(?:bearer|basic)\s+(?=[a-z0-9+/_.-]{16}))("[^"]*"?|'[^']*'?|\S+)/gi;
/** What an exchange of SASL carries (RFC 6120, section 6; XEP-0388), and the proofs within (RFC 5802, section 5.1). */
const SASL = /(<(?:\w+:)?(?:auth|challenge|response|success|authenticate|initial-response|additional-data|token|password)\b[^>]*>)[^<]*[^<\s][^<]*|((?<![a-z])[pv]=)[a-z0-9+/]{16,}=*/gi;

/** A log that hands each finished line (no line break at its end) to `write`. @param level the least that is written; it may change */
export function createLog(write: (line: string) => void, level: LogLevel | (() => LogLevel), now: () => number, scope = ''): Log {
  const least = typeof level === 'function' ? level : (): LogLevel => level;
  const emit = (at: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(at) < LOG_LEVELS.indexOf(least())) return;
    const words = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${formatValue(name, value)}`);
    const said = clean(scope === '' ? event : `${scope}: ${event}`);
    write([new Date(now()).toISOString(), at, said, ...words].join(' '));
  };
  return {
    debug: (event, fields) => emit('debug', event, fields),
    info: (event, fields) => emit('info', event, fields),
    warn: (event, fields) => emit('warn', event, fields),
    scope: (name) => createLog(write, level, now, scope === '' ? name : `${scope}.${name}`),
  };
}

function formatValue(name: string, value: string | number | boolean | undefined): string {
  if (SECRET_FIELD.test(name)) return '<redacted>';
  if (typeof value !== 'string') return String(value);
  const text = clean(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** One line without secrets. */
function clean(text: string): string {
  return redactLog(text).replace(/\p{Cc}/gu, '?');
}

/** `text` without anything that looks like an invite, an age identity, a private key, a token, or a password in a URL; what people are told passes through here. */
export function redact(text: string): string {
  return text
    .replace(SECRET_IN_URL, '$1<redacted>')
    .replace(SECRET_TOKEN, '$1$2<redacted>')
    .replace(SECRET_TEXT, (_all, invite?: string, age?: string, pem?: string) => `${invite ?? age ?? pem ?? ''}<redacted>`);
}

/** The same for what is kept or handed on: nothing either that may be a code, a password behind its name, or a part of a sign-in. */
export function redactLog(text: string): string {
  return redact(text.replace(SASL, '$1$2<redacted>')).replace(NAMED, '$1<redacted>').replace(CODE, '<redacted>');
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, scope: () => silentLog };
