// Codes that people say: a public number and two secret words, such as `4-cross-clock` (words of BIP-39's English list).
// Rule: forgiving in form (case, spaces, dashes, words cut to four letters), never in substance: no word is guessed.

import { wordlist } from '@scure/bip39/wordlists/english.js';
import { utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import type { PairingSecret } from './exchange.ts';

/** Random bytes that two words of 11 bits are drawn from. */
export const CODE_RANDOM_BYTES = 4;
/** Highest number of a code. */
export const MAX_CODE_NUMBER = 9999;

export interface Code {
  /** Tells apart the codes that an account shows at one time; public. */
  readonly number: number;
  readonly words: readonly [string, string];
}

const EXAMPLE = '4-cross-clock';
const MAX_CODE_LENGTH = 100;
/** Words of this length are known by it alone: BIP-39 promises that no two begin with the same four letters. */
const SURE_PREFIX = 4;

/**
 * A code from `random`: 22 bits of secret.
 * @param random 4 fresh random bytes
 */
export function makeCode(number: number, random: Uint8Array): Code {
  if (random.length !== CODE_RANDOM_BYTES) throw new Fault('internal', `a code is made from ${CODE_RANDOM_BYTES} random bytes`);
  const [a = 0, b = 0, c = 0, d = 0] = random;
  return { number: parseNumber(String(number)), words: [wordAt((a << 8) | b), wordAt((c << 8) | d)] };
}

/** The code as people say and type it. */
export function formatCode({ number, words }: Code): string {
  return `${number}-${words.join('-')}`;
}

/** @throws InputFault naming what is garbled, and the nearest word */
export function parseCode(text: string): Code {
  if (text.length > MAX_CODE_LENGTH) throw new InputFault('code', `is longer than ${MAX_CODE_LENGTH} characters`);
  const parts = text.normalize('NFKC').toLowerCase().split(/[\s\p{Pd}.,_]+/u).filter((part) => part !== '');
  const [number, first, second] = parts;
  if (number === undefined || first === undefined || second === undefined || parts.length > 3) {
    throw new InputFault('code', `"${shorten(text)}" is not a number and two words, such as ${EXAMPLE}`);
  }
  return { number: parseNumber(number), words: [parseWord(first), parseWord(second)] };
}

/** What a code means to the key exchange; one wrong guess spends it. */
export function secretOfCode({ number, words }: Code): PairingSecret {
  return { kind: 'code', id: String(number), secret: utf8(words.join('-')) };
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,4}$/.test(text) || number < 1) {
    const wanted = `a number from 1 to ${MAX_CODE_NUMBER}, as in ${EXAMPLE}`;
    throw new InputFault('code', `begins with "${shorten(text)}" instead of ${wanted}`);
  }
  return number;
}

function parseWord(text: string): string {
  const found = wordlist.find((word) => word === text || (text.length >= SURE_PREFIX && word.startsWith(text)));
  if (found !== undefined) return found;
  throw new InputFault('code', `"${shorten(text)}" is none of the words that codes are made of`, {
    remedy: `did you mean "${nearestWord(text)}"?`,
  });
}

function wordAt(bits: number): string {
  const word = wordlist[bits % wordlist.length];
  if (word === undefined) throw new Fault('internal', 'the word list is empty');
  return word;
}

function nearestWord(text: string): string {
  const letters = text.slice(0, 16);
  const byDistance = wordlist.map((word) => ({ word, distance: editDistance(letters, word) }));
  return byDistance.reduce((best, each) => (each.distance < best.distance ? each : best)).word;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + Number(letter !== other)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
