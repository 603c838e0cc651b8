// What people left on purpose by an amend, rebase or reset, per branch (docs/CONVERGENCE.md, "What was left"). Rule: of two marks of one commit
// the later counts, and of two at once the one that leaves: so books merge to the same one in any order. One form in bytes, bounded.

import { utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';

/** Whether a commit was left, or taken back later. */
export interface Mark {
  /** Milliseconds since 1970 by the clock of whoever did it. */
  readonly stamp: number;
  readonly isLeft: boolean;
}

/** Marks by branch and commit. */
export type LeftBook = ReadonlyMap<RefName, ReadonlyMap<Oid, Mark>>;

/** More than this is forgotten, the oldest first. */
export const MAX_MARKS = 4096;
/** Bytes of a book at most. */
export const MAX_LEFT_BYTES = 1 << 20;
export const NO_LEFT: LeftBook = new Map();

export function isLeft(book: LeftBook, ref: RefName, oid: Oid): boolean {
  return book.get(ref)?.get(oid)?.isLeft ?? false;
}

/** What both books say; the same in any order and any grouping, up to `MAX_MARKS`. */
export function mergeLeft(one: LeftBook, other: LeftBook): LeftBook {
  return fromLines([...toLines(one), ...toLines(other)]);
}

/**
 * The book after a person moved a branch other than forward.
 * @param move.left commits that the branch does not hold any more
 * @param move.back commits that it holds again: only those that were left before are marked
 */
export function noteMove(
  book: LeftBook,
  move: { readonly ref: RefName; readonly left: readonly Oid[]; readonly back: readonly Oid[]; readonly stamp: number },
): LeftBook {
  const { ref } = move;
  // A clock that went back must not lose to a mark of its own past.
  const stampOf = (oid: Oid): number => Math.max(move.stamp, (book.get(ref)?.get(oid)?.stamp ?? 0) + 1);
  const back = move.back.filter((oid) => isLeft(book, ref, oid));
  return fromLines([
    ...toLines(book),
    ...move.left.map((oid) => ({ ref, oid, stamp: stampOf(oid), isLeft: true })),
    ...back.map((oid) => ({ ref, oid, stamp: stampOf(oid), isLeft: false })),
  ]);
}

/** Lines `stamp -|+ oid ref`, in ascending order of ref and oid, each with its line break. */
export function formatLeft(book: LeftBook): Uint8Array {
  const lines = toLines(book).map(({ ref, oid, stamp, isLeft: isGone }) => ({ key: `${ref} ${oid}`, text: `${stamp} ${isGone ? '-' : '+'} ${oid} ${ref}\n` }));
  return utf8(lines.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ text }) => text).join(''));
}

/** @throws InputFault on any other form, or beyond the limits */
export function parseLeft(bytes: Uint8Array): LeftBook {
  if (bytes.length > MAX_LEFT_BYTES) throw broken(`is larger than ${MAX_LEFT_BYTES} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  if (lines.length > MAX_MARKS) throw broken(`holds more than ${MAX_MARKS} marks`);
  return fromLines(lines.map(parseLine));
}

interface Line extends Mark {
  readonly ref: RefName;
  readonly oid: Oid;
}

function parseLine(line: string): Line {
  const [, stamp, sign, oid, ref] = /^([1-9]\d{0,15}) ([+-]) ([0-9a-f]+) (refs\/heads\/.+)$/.exec(line) ?? [];
  if (stamp === undefined || oid === undefined || ref === undefined) throw broken('has a line that is no mark');
  return { stamp: Number(stamp), isLeft: sign === '-', oid: parseOid(oid), ref: parseRefName(ref) };
}

function toLines(book: LeftBook): Line[] {
  return [...book].flatMap(([ref, marks]) => [...marks].map(([oid, mark]) => ({ ref, oid, ...mark })));
}

function fromLines(lines: readonly Line[]): LeftBook {
  const newest = new Map<string, Line>();
  for (const line of lines) {
    const key = `${line.ref} ${line.oid}`;
    const known = newest.get(key);
    if (known === undefined || isLater(line, known)) newest.set(key, line);
  }
  const kept = [...newest].sort(([a, one], [b, other]) => other.stamp - one.stamp || (a < b ? -1 : 1)).slice(0, MAX_MARKS);
  const book = new Map<RefName, Map<Oid, Mark>>();
  for (const [, { ref, oid, stamp, isLeft: isGone }] of kept) {
    const marks = book.get(ref) ?? new Map<Oid, Mark>();
    book.set(ref, marks.set(oid, { stamp, isLeft: isGone }));
  }
  return book;
}

function isLater(a: Mark, b: Mark): boolean {
  return a.stamp === b.stamp ? a.isLeft && !b.isLeft : a.stamp > b.stamp;
}

function broken(why: string): InputFault {
  return new InputFault('book of left commits', why);
}
