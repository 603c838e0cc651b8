// Well-formed input spoiled in ways that break parsers: cut, repeated, spliced, numbers at their limits, words that mean something elsewhere.
// Rule: what comes out is drawn by fast-check, so a seed and a path give it again, and a failure is made smaller by itself.

import * as fc from 'fast-check';

/** What has broken parsers: limits of numbers, paths out of a folder, control characters, other types' words, much of one thing. */
const TOKENS: readonly string[] = [
  '', '0', '-1', '00', '1e999', '255', '256', '65535', '65536', '2147483648', '4294967296', '9007199254740993', '18446744073709551616', 'NaN', 'null', 'true', '[]', '{}', '""',
  '..', '../..', '/', '//', '/etc/passwd', '.git', '.git/hooks/post-checkout', 'refs/heads/..', 'refs/heads/a.lock', '-', '--upload-pack=x', '-oProxyCommand=x', 'ext::sh -c x', '@{', '~', '^', ':', '*',
  '__proto__', 'constructor', 'toString', '\0', '\n', '\r\n', '\t', '\u007f', '\u0085', '\u202e', '\ufeff', '\ud800', 'İ', 'ß', '\u{1f600}', '%', '%00', '%2e%2e%2f', '%zz', '$(x)', '`x`', ';', '|', '&amp;', '&lt;', '<!--', ']]>', "'", '"',
  'a'.repeat(300), 'A'.repeat(5000), '='.repeat(4), '0'.repeat(40), 'f'.repeat(64), '('.repeat(200), '['.repeat(2000), '{"a":'.repeat(500), ',', '/'.repeat(300),
]; // prettier-ignore

type Edit =
  | { readonly do: 'token' | 'insert'; readonly at: number; readonly text: string }
  | { readonly do: 'cut'; readonly at: number; readonly length: number }
  | { readonly do: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly do: 'splice'; readonly at: number; readonly from: number };

const at = fc.nat();
const words = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...TOKENS) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('token' as const), at, text: words }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('insert' as const), at, text: words }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), at, length: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), at, length: fc.integer({ min: 1, max: 60 }), times: fc.constantFrom(2, 3, 17, 300) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('splice' as const), at, from: at }) },
);
/** No input grows beyond this: a parser's own bound is below it, or it is what is looked for. */
const MAX_LENGTH = 200_000;

/** Texts that begin as one of `seeds`. */
export function mutatedText(seeds: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...seeds), fc.constantFrom(...seeds), fc.array(edit, { maxLength: 5 })).map(([seed, other, edits]) => edits.reduce((text, each) => apply(text, each, other), seed));
}

/** Bytes that begin as one of `seeds`; a character of the edits is a byte. */
export function mutatedBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const flips = fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  return fc.tuple(mutatedText(seeds.map((seed) => Buffer.from(seed).toString('latin1'))), flips).map(([text, turned]) => {
    const bytes = Buffer.from(text, 'latin1');
    for (const [position, value] of turned) if (bytes.length > 0) bytes[position % bytes.length] = value;
    return new Uint8Array(bytes);
  });
}

/** Lengths to cut a stream of bytes by. */
export const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });

/** `bytes` in pieces of the drawn lengths, used in turn. */
export function* inPieces(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let [begin, turn] = [0, 0]; begin < bytes.length; turn += 1) {
    const end = begin + (lengths[turn % lengths.length] ?? 1);
    yield bytes.subarray(begin, end);
    begin = end;
  }
}

function apply(text: string, now: Edit, other: string): string {
  const position = text.length === 0 ? 0 : now.at % text.length;
  const before = text.slice(0, position);
  if (now.do === 'insert') return before + now.text + text.slice(position);
  if (now.do === 'cut') return before + text.slice(position + now.length);
  if (now.do === 'splice') return before + other.slice(other.length === 0 ? 0 : now.from % other.length);
  if (now.do === 'repeat') {
    const piece = text.slice(position, position + now.length);
    return piece.length * now.times + text.length > MAX_LENGTH ? text : before + piece.repeat(now.times) + text.slice(position + now.length);
  }
  // The whole word at that place, so that what is around it stays well formed.
  const start = before.search(/[\p{L}\p{N}_-]*$/u);
  const rest = text.slice(position).replace(/^[\p{L}\p{N}_-]*/u, '');
  return before.slice(0, start) + now.text + rest;
}
