// The lines of git-annex's remotedaemon, both ways (its doc/design/git-remote-daemon). Rule: pure and strict: one message a line, words apart by one space, a
// line of at most 4096 bytes; remotes are named by their URI, and what reads what is told takes their names too.

import { concatBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';

/** What the controlling program says. */
export type Consumed =
  | { readonly type: 'PAUSE' | 'LOSTNET' | 'RESUME' | 'RELOAD' | 'STOP' }
  /** Refs that are new or have changed: names, or the objects that they are at. */
  | { readonly type: 'CHANGED'; readonly refs: readonly string[] };

/** What it is told; `remote` is a URI, or a name. */
export type Emitted =
  | { readonly type: 'CONNECTED' | 'DISCONNECTED' | 'SYNCING'; readonly remote: string }
  | { readonly type: 'DONESYNCING'; readonly remote: string; readonly isGood: boolean }
  | { readonly type: 'WARNING'; readonly remote: string; readonly words: string };

/** Longest line without its line break, in bytes: as much as a pipe takes in one piece (PIPE_BUF, pipe(7)). */
export const MAX_LINE_BYTES = 4096;
const MAX_REFS = 500;
const MAX_WORDS = 500;

/** @throws InputFault that names what is wrong with the line */
export function parseConsumed(line: string): Consumed {
  const [word, ...words] = line.split(' ');
  switch (word) {
    case 'PAUSE':
    case 'LOSTNET':
    case 'RESUME':
    case 'RELOAD':
    case 'STOP':
      if (words.length > 0) throw new InputFault(word, 'takes nothing more');
      return { type: word };
    case 'CHANGED':
      return { type: 'CHANGED', refs: parseRefs(words) };
    default:
      throw new InputFault('message', `"${shorten(line)}" is none of PAUSE, LOSTNET, RESUME, CHANGED, RELOAD and STOP`);
  }
}

export function formatConsumed(message: Consumed): string {
  return message.type === 'CHANGED' ? ['CHANGED', ...message.refs].join(' ') : message.type;
}

/** @throws InputFault on a line that is no message */
export function parseEmitted(line: string): Emitted {
  const [type = '', remote = '', ...rest] = line.split(' ');
  if (!isWord(remote)) throw new InputFault(shorten(type), 'names no remote');
  switch (type) {
    case 'CONNECTED':
    case 'DISCONNECTED':
    case 'SYNCING':
      if (rest.length > 0) throw new InputFault(type, 'holds more than a remote');
      return { type, remote };
    case 'DONESYNCING':
      if (rest.length !== 1 || (rest[0] !== '0' && rest[0] !== '1')) throw new InputFault(type, 'says neither 1 nor 0');
      return { type, remote, isGood: rest[0] === '1' };
    case 'WARNING':
      return { type, remote, words: rest.join(' ') };
    default:
      throw new InputFault('message', `"${shorten(line)}" is none that is told`);
  }
}

/** One line, whatever the words hold. */
export function formatEmitted(message: Emitted): string {
  const { type, remote } = message;
  if (type === 'DONESYNCING') return `${type} ${remote} ${message.isGood ? 1 : 0}`;
  return type === 'WARNING' ? `${type} ${remote} ${message.words.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_WORDS)}` : `${type} ${remote}`;
}

/** What may not stand in a URI as it is: all but reserved and unreserved characters (RFC 3986 §2.2, §2.3). */
const ODD = /[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]/gu;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

/**
 * A remote's URL as a URI, as git-annex writes it: one that is a URI already stays as it is, of any other all is percent-encoded that may not stand in one.
 * A password is left out.
 * @param url as git has it; a path is to be a `file://` URL, and `host:path` an `ssh://` one
 */
export function formatUri(url: string): string {
  const shown = url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/, '$1@');
  return URI.test(shown) ? shown : shown.replace(ODD, encode);
}

/** `user@host:path` of ssh as a URL, as git-annex does it; any other text as it is. */
export function sshUrlOf(url: string): string {
  const [, host = '', path = ''] = /^((?:[^/@:]+@)?(?:\[[^\]]*\]|[^/:[\]]+)):(?!:)(.*)$/s.exec(url) ?? [];
  if (host === '' || url.includes('://')) return url;
  const place = path.startsWith('/') ? path : path.startsWith('~') ? `/${path}` : `/~/${path}`;
  return `ssh://${host}${place}`;
}

function encode(sign: string): string {
  const bytes = new TextEncoder().encode(sign);
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function parseRefs(words: readonly string[]): readonly string[] {
  if (words.length === 0 || words.length > MAX_REFS) throw new InputFault('CHANGED', `names no refs, or more than ${MAX_REFS}`);
  const wrong = words.find((word) => !isRef(word));
  if (wrong !== undefined) throw new InputFault('CHANGED', `"${shorten(wrong)}" is no ref`);
  return words;
}

/** As git check-ref-format has it for names of any depth; object ids are such, too. */
function isRef(word: string): boolean {
  const isWrong = /[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\/\.|^\.|\.lock(?:\/|$)|\.$|\/$|^\/|^-|^@$/u.test(word);
  return word !== '' && !isWrong;
}

function isWord(text: string): boolean {
  return text !== '' && !/[\p{Cc} ]/u.test(text);
}

/** A line that came in; undefined for one that is too long, or no UTF-8. */
export type ReadLine = string | undefined;

/** Cuts what comes in, in pieces of any size, into lines; of one that is too long no more is kept than that. */
export class LineReader {
  #kept: Uint8Array = new Uint8Array(0);
  #isTooLong = false;

  /** The lines that `bytes` complete, without their line breaks. */
  receive(bytes: Uint8Array): ReadLine[] {
    const lines: ReadLine[] = [];
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      this.#keep(bytes.subarray(from, end));
      lines.push(this.#take());
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  /** What stood behind the last line break: a line too, where the end came before its own. */
  end(): ReadLine[] {
    return this.#kept.length === 0 && !this.#isTooLong ? [] : [this.#take()];
  }

  #keep(bytes: Uint8Array): void {
    this.#isTooLong ||= this.#kept.length + bytes.length > MAX_LINE_BYTES;
    this.#kept = this.#isTooLong ? new Uint8Array(0) : concatBytes([this.#kept, bytes]);
  }

  #take(): ReadLine {
    const [bytes, isTooLong] = [this.#kept, this.#isTooLong];
    [this.#kept, this.#isTooLong] = [new Uint8Array(0), false];
    if (isTooLong) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r$/, '');
    } catch {
      return undefined;
    }
  }
}
