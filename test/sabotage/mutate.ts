// Small changes that a tired person could make: a comparison turned, a statement lost, a limit lifted. Rule: works on the text, without what is comment;
// a change that makes no program shows itself as one that cannot be loaded.

import { parseSource } from '../helpers/source-files.ts';

/** `from` at `index` of the text becomes `to`. */
export interface Mutation {
  readonly index: number;
  readonly from: string;
  readonly to: string;
}

const SWAPS: readonly (readonly [RegExp, (found: string) => readonly string[]])[] = [
  [/ (?:===|!==) /g, (found) => [found === ' === ' ? ' !== ' : ' === ']],
  [/ < /g, () => [' <= ', ' >= ']],
  [/ <= /g, () => [' < ', ' > ']],
  [/ > /g, () => [' >= ', ' <= ']],
  [/ >= /g, () => [' > ', ' < ']],
  [/ && /g, () => [' || ']],
  [/ \|\| /g, () => [' && ']],
  [/ [+-] (?=[\w(])/g, (found) => [found === ' + ' ? ' - ' : ' + ']],
  [/\b(?:true|false)\b/g, (found) => [found === 'true' ? 'false' : 'true']],
  [/Math\.(?:min|max)\(/g, (found) => [found === 'Math.min(' ? 'Math.max(' : 'Math.min(']],
  [/(?<=[(\s])!(?=[a-zA-Z(#])/g, () => ['']],
  // A statement on one line.
  [/(?<=^[ ]+)(?:this\.|await |void |[a-z][\w.#]*\(|[a-z][\w.#]* (?:=|\+=|-=|\?\?=|\|\|=) )[^\n]*;$/gm, () => [';']],
  // What is only done under a condition, on the same line.
  [/(?<=\) )(?:throw|return|continue|break)\b[^\n]*;$/gm, () => [';']],
  [/(?<=^(?:export )?const MAX_\w+ = )[^\n]+(?=;$)/gm, () => ['1e12']],
];

/** Lines that hold no program. */
const NO_PROGRAM = /^\s*(?:import|export (?:type|interface)|readonly|\||\/\/|\*|type |interface )/;

/** Every mutation of a file's text. */
export function mutationsOf(text: string): Mutation[] {
  const { code } = parseSource('x.ts', text);
  const found = SWAPS.flatMap(([pattern, swap]) => [...code.matchAll(pattern)].flatMap(({ index, 0: from }) => swap(from).map((to) => ({ index, from, to }))));
  return found.filter(({ index }) => !NO_PROGRAM.test(lineAt(code, index)));
}

export function mutate(text: string, { index, from, to }: Mutation): string {
  return text.slice(0, index) + to + text.slice(index + from.length);
}

/** The line of the mutation as it was, and as it is. */
export function describeMutation(text: string, mutation: Mutation): string {
  const line = text.slice(0, mutation.index).split('\n').length;
  const was = lineAt(text, mutation.index).trim();
  const is = lineAt(mutate(text, mutation), mutation.index).trim();
  return `${line}: ${was}\n      ${' '.repeat(String(line).length)}→ ${is}`;
}

function lineAt(text: string, index: number): string {
  const start = text.lastIndexOf('\n', index - 1) + 1;
  const end = text.indexOf('\n', index);
  return text.slice(start, end === -1 ? text.length : end);
}
