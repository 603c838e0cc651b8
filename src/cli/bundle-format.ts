// What of a text may go into a support file (docs/git-xmpp.1, `doctor --bundle`). Rule: secrets never; names only where they are wanted, else the same name is the
// same word everywhere; a value that is set is shown only where its key is known and it has the shape that belongs there.

import { redact } from '../lib/log.ts';

/** Names that are known to be somebody's, by kind. */
export interface KnownNames {
  readonly peer?: readonly string[];
  readonly repo?: readonly string[];
  readonly branch?: readonly string[];
  readonly host?: readonly string[];
  readonly path?: readonly string[];
  readonly file?: readonly string[];
}

export interface ScrubOptions {
  readonly secrets: readonly string[];
  readonly names: KnownNames;
  /** The folder of the user, which becomes `~`. */
  readonly homeDir: string;
  /** Leaves names as they are; secrets go all the same. */
  readonly keepsNames: boolean;
}

const SECRET = '<secret>';
/** Words of ours, which other people's names must not hide. */
const OWN_FILES = /^(?:agent\.(?:log|sock|mjs)|peers\.json|repos\.json|device\.json|invites\.json|quota\.json|git-xmpp\.service|config)$/;
const USUAL_BRANCHES: ReadonlySet<string> = new Set(['main', 'master', 'HEAD']);
const ASSIGNED = /\b((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credentials?)["']?\s*[=:]\s*)("[^"]*"|\S+)/gi;
/** Base64 of a key or a token; hex of 40 and more names commits and certificates. */
const OPAQUE = /(?<![A-Za-z0-9+/_=.~-])(?!\/)(?![0-9a-f]+(?![A-Za-z0-9+/_=-]))[A-Za-z0-9+/_-]{40,}=*/g;
const JID = /[^\s"'<>()[\]{},;:/@=]{1,255}@(?:[\p{L}\p{N}-]+\.)*[\p{L}\p{N}-]+(?:\/[^\s"'<>(),;]+)?/gu;
const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})?(?![\w:])/gi;
const PATH = /(?<![\w/.~<-])(?:~|\/[\w.@+-]+)(?:\/[^\s"'<>(),;:]*)+/g;
const FILE = /(?<![\w/.<-])[\w@+-][\w.@+-]*\.[A-Za-z]{1,5}(?![\w.-])/g;
const QUOTED = /(")([^"\\<>]{1,200})"/g;
const ESCAPED_QUOTED = /(\\")([^"\\<>]{1,200})\\"/g;
/** Quoted and no name of anybody's: what was replaced already, and commands to type. */
const OWN_WORDS = /^[a-z-]+-\d+$|^git xmpp /;
const SYSTEM_PATHS = /^\/(?:usr|bin|etc|proc|dev|sys|lib)\//;

/** Takes out of texts what others must not read, and remembers what it called things. */
export class Scrubber {
  readonly #options: ScrubOptions;
  readonly #secrets: readonly string[];
  readonly #known: readonly (readonly [pattern: RegExp, kind: string])[];
  readonly #aliases = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(options: ScrubOptions) {
    this.#options = options;
    const forms = options.secrets.flatMap((each) => [each, JSON.stringify(each).slice(1, -1), /\p{Surrogate}/u.test(each) ? each : encodeURIComponent(each), Buffer.from(each).toString('base64')]);
    this.#secrets = longestFirst(forms);
    const kinds = Object.entries(options.names).flatMap(([kind, names]) => longestFirst(names ?? []).map((name) => [name, kind] as const));
    this.#known = kinds
      .filter(([name, kind]) => name.length > 1 && !(kind === 'branch' && USUAL_BRANCHES.has(name)))
      .sort(([a], [b]) => b.length - a.length)
      .map(([name, kind]) => [new RegExp(`(?<![\\p{L}\\p{N}_-])${escape(name)}(?![\\p{L}\\p{N}_-])`, 'gu'), kind]);
  }

  /** A text without secrets, and without names unless they are kept. */
  text(text: string): string {
    return this.#clean(text, [QUOTED]);
  }

  #clean(text: string, quotes: readonly RegExp[]): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, SECRET);
    clean = redact(clean).replace(ASSIGNED, `$1${SECRET}`).replace(OPAQUE, SECRET);
    return this.#options.keepsNames ? clean : this.#names(clean, [ESCAPED_QUOTED, ...quotes]);
  }

  /** A line of the agent's log, where quotes part one field from the next. */
  logLine(line: string): string {
    return this.#clean(line, []);
  }

  /** Every text in `value`; the names of fields are ours. */
  all(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.all(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.all(each)]));
  }

  #names(text: string, quotes: readonly RegExp[]): string {
    let clean = text.replaceAll(this.#options.homeDir, '~').replace(JID, (jid) => this.#jid(jid));
    for (const [pattern, kind] of this.#known) clean = clean.replace(pattern, (name) => this.#alias(kind, name));
    clean = clean
      .replace(ADDRESS, (address) => (address.startsWith('127.') || address === '0.0.0.0' ? address : this.#alias('address', address)))
      .replace(PATH, (path) => (SYSTEM_PATHS.test(path) ? path : this.#alias('path', path)))
      .replace(FILE, (file) => (OWN_FILES.test(file) ? file : this.#alias('file', file)));
    for (const quote of quotes) clean = clean.replace(quote, (all, before: string, inner: string) => (OWN_WORDS.test(inner) ? all : `${before}${this.#alias('name', inner)}${before}`));
    return clean;
  }

  /** The account and its server keep their own words, whatever resource comes behind. */
  #jid(jid: string): string {
    const [bare = '', resource] = jid.split('/', 2);
    const [local = '', domain = ''] = bare.split('@', 2);
    const account = `${this.#alias('user', `${local}@${domain}`.toLowerCase())}@${this.#alias('host', domain.toLowerCase())}`;
    return resource === undefined ? account : `${account}/${this.#alias('resource', resource)}`;
  }

  #alias(kind: string, name: string): string {
    const key = `${kind} ${name}`;
    const known = this.#aliases.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const alias = `${kind}-${count}`;
    this.#aliases.set(key, alias);
    return alias;
  }
}

function longestFirst(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((each) => each !== ''))].sort((a, b) => b.length - a.length);
}

function escape(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
}

/** Keys whose values say how git-xmpp runs, and the shape that each has. */
const SHOWN: readonly (readonly [key: RegExp, value: RegExp])[] = [
  [/^account\.jid$/, /^[^\s@]{1,255}@[^\s@]{1,255}$/],
  [/^account\.server$/, /^\S{1,255}:\d{1,5}$/],
  [/^account\.directtls$/, /^(?:true|false)$/],
  [/^account\.cafile$/, /^\/\S{1,1000}$/],
  [/^account\.strongestmechanism$/, /^SCRAM-SHA-(?:1|256)(?:-PLUS)?$/],
  [/^xmpp\.direct$/, /^(?:true|public|private|false)$/],
  [/^xmpp\.giveup$/, /^\d{1,9}[smhd]$/],
  [/^xmpp\.quota$/, /^\d{1,12}[kmg]?$/i],
  [/^xmpp\.limit\..*up$/, /^\d{1,9}(?:\.\d{1,9})?[kmg]?$/i],
  [/^xmpp\.(?:merge|mergefrom|rewrite|autocommit)$/, /^[a-z]{1,10}$/],
];

/** Settings as a support file shows them: any other key by its name, and that it is set. */
export function formatSettings(settings: readonly (readonly [key: string, value: string])[], scrub: (text: string) => string): readonly string[] {
  return settings.map(([key, value]) => {
    const shape = SHOWN.find(([pattern]) => pattern.test(key.toLowerCase()))?.[1];
    const name = nameOf(key, scrub);
    if (shape === undefined) return `${name} = <set>`;
    return `${name} = ${shape.test(value) ? scrub(value) : '<not of the form it should have>'}`;
  });
}

/** `section.name`, and what stands between the two as a text like any other. */
function nameOf(key: string, scrub: (text: string) => string): string {
  const [first, last] = [key.indexOf('.'), key.lastIndexOf('.')];
  return first === last ? key : `${key.slice(0, first)}.${scrub(key.slice(first + 1, last))}${key.slice(last)}`;
}

/** The status without what people wrote: of commits, their number alone. */
export function withoutCommits(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCommits);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => {
    const isCommits = (key === 'here' || key === 'there') && Array.isArray(each);
    return [key, isCommits ? each.length : withoutCommits(each)] as const;
  });
  return Object.fromEntries(entries);
}
