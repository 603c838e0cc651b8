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

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn'];
const SECRET_FIELD = /pass|secret|token|code|words|key|credential/i;
const SECRET_TEXT = /(git-xmpp:[^\s#]+#)\S+|(AGE-SECRET-KEY-)\S+|(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*/g;
/** A password in a URL, or a token in the place of its user (RFC 3986, section 3.2.1); up to the last `@`, for people write one unescaped. */
const SECRET_IN_URL = /(\b(?:https?:\/\/|[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:))[^\s/]+(?=@)/gi;

/** A log that hands each finished line (no line break at its end) to `write`. */
export function createLog(write: (line: string) => void, level: LogLevel, now: () => number, scope = ''): Log {
  const emit = (at: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return;
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
  return redact(text).replace(/\p{Cc}/gu, '?');
}

/** `text` without anything that looks like an invite, an age identity, a private key, or a password in a URL. */
export function redact(text: string): string {
  return text.replace(SECRET_IN_URL, '$1<redacted>').replace(SECRET_TEXT, (_all, invite?: string, age?: string, pem?: string) => `${invite ?? age ?? pem ?? ''}<redacted>`);
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, scope: () => silentLog };
