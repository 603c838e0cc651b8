// What people left on purpose by an amend, rebase or reset, per branch (docs/CONVERGENCE.md, "What was left"). Rule: of two marks of one commit
// the later counts, and of two at once the one that leaves: so books merge to the same one in any order. One form in bytes, bounded.

import { utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';

/** Whether a commit was left, or taken back later. */
export interface Mark {
  /** Milliseconds since 1970 by the clock of whoever did it, from 1 to `MAX_STAMP`. */
  readonly stamp: number;
  readonly isLeft: boolean;
}

/** Marks by branch and commit. */
export type LeftBook = ReadonlyMap<RefName, ReadonlyMap<Oid, Mark>>;

/** More than this is forgotten, the oldest first. */
export const MAX_MARKS = 4096;
/** Of a branch whose name is longer nothing is noted. */
export const MAX_BRANCH_BYTES = 1024;
/** A stamp has at most 15 digits: until the year 33 658, and room to count up from any clock. */
export const MAX_STAMP = 999_999_999_999_999;
export const NO_LEFT: LeftBook = new Map();

/** Of a line at most: stamp, sign, three spaces, line break, the longest object id. */
const LINE_BYTES = 20 + 64;
/** Bytes of a book at most: follows from the other limits, so that a mark is kept or not whatever lies beside it. */
export const MAX_LEFT_BYTES = MAX_MARKS * (LINE_BYTES + MAX_BRANCH_BYTES);

export function isLeft(book: LeftBook, ref: RefName, oid: Oid): boolean {
  return book.get(ref)?.get(oid)?.isLeft ?? false;
}

/** Whether an automatic merge is marked as one that a hub stands on: then it is solid on every device, though none but one uses that hub. */
export function isHeld(book: LeftBook, ref: RefName, oid: Oid): boolean {
  return book.get(ref)?.get(oid)?.isLeft === false;
}

/** What both books say; the same in any order and any grouping. */
export function mergeLeft(one: LeftBook, other: LeftBook): LeftBook {
  return addLines(one, toLines(other));
}

/**
 * The book after a person moved a branch, or a hub was seen to hold something.
 * @param move.left commits that the branch does not hold any more
 * @param move.back commits that it holds now and did not before, or that a hub holds: only those that were left are marked
 * @param move.held automatic merges that a hub stands on and that devices write otherwise (`isRival` of join.ts)
 */
export function noteMove(
  book: LeftBook,
  move: { readonly ref: RefName; readonly left: readonly Oid[]; readonly back: readonly Oid[]; readonly held?: readonly Oid[]; readonly stamp: number },
): LeftBook {
  const { ref, held = [] } = move;
  const now = Math.max(1, Math.floor(move.stamp));
  // A clock that went back must not lose to a mark of its own past.
  const stampOf = (oid: Oid): number => Math.min(MAX_STAMP, Math.max(now, (book.get(ref)?.get(oid)?.stamp ?? 0) + 1));
  const back = [...move.back.filter((oid) => isLeft(book, ref, oid)), ...held.filter((oid) => !isHeld(book, ref, oid))];
  return addLines(book, [
    ...move.left.map((oid) => ({ ref, oid, stamp: stampOf(oid), isLeft: true })),
    ...back.map((oid) => ({ ref, oid, stamp: stampOf(oid), isLeft: false })),
  ]);
}

/** Lines `stamp -|+ oid ref`, in ascending order of ref and oid, each with its line break. */
export function formatLeft(book: LeftBook): Uint8Array {
  const lines = toLines(book).map((line) => ({ key: keyOf(line), text: `${line.stamp} ${line.isLeft ? '-' : '+'} ${line.oid} ${line.ref}\n` }));
  return utf8(lines.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ text }) => text).join(''));
}

/** @throws InputFault on any other form, or beyond the limits */
export function parseLeft(bytes: Uint8Array): LeftBook {
  if (bytes.length > MAX_LEFT_BYTES) throw broken(`is larger than ${MAX_LEFT_BYTES} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  if (lines.length > MAX_MARKS) throw broken(`holds more than ${MAX_MARKS} marks`);
  const book = addLines(NO_LEFT, lines.map(parseLine));
  if (Buffer.compare(formatLeft(book), bytes) !== 0) throw broken('is not in the order that all devices write it in');
  return book;
}

interface Line extends Mark {
  readonly ref: RefName;
  readonly oid: Oid;
}

function parseLine(line: string): Line {
  const [, stamp, sign, oid, ref] = /^([1-9]\d{0,14}) ([+-]) ([0-9a-f]+) (refs\/heads\/.+)$/.exec(line) ?? [];
  if (stamp === undefined || oid === undefined || ref === undefined) throw broken('has a line that is no mark');
  return { stamp: Number(stamp), isLeft: sign === '-', oid: parseOid(oid), ref: parseRefName(ref) };
}

function toLines(book: LeftBook): Line[] {
  return [...book].flatMap(([ref, marks]) => [...marks].map(([oid, mark]) => ({ ref, oid, ...mark })));
}

/** The same book where no line is news to it: most books that come say nothing new. */
function addLines(book: LeftBook, lines: readonly Line[]): LeftBook {
  const changed = new Map<RefName, Map<Oid, Mark>>();
  for (const { ref, oid, stamp, isLeft: isGone } of lines) {
    if (Buffer.byteLength(ref) > MAX_BRANCH_BYTES) continue;
    const marks = changed.get(ref) ?? book.get(ref);
    const known = marks?.get(oid);
    const mark = { stamp, isLeft: isGone };
    if (known !== undefined && !isLater(mark, known)) continue;
    const own = changed.get(ref) ?? new Map(marks);
    changed.set(ref, own.set(oid, mark));
  }
  return changed.size === 0 ? book : trim(new Map([...book, ...changed]));
}

/** Forgets the oldest beyond `MAX_MARKS`: stamps only grow, so what was forgotten in one grouping would have been in any other. */
function trim(book: LeftBook): LeftBook {
  const all = toLines(book);
  if (all.length <= MAX_MARKS) return book;
  const newest = all.sort((a, b) => b.stamp - a.stamp || (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, MAX_MARKS);
  const kept = new Map<RefName, Map<Oid, Mark>>();
  for (const { ref, oid, stamp, isLeft: isGone } of newest) {
    kept.set(ref, (kept.get(ref) ?? new Map<Oid, Mark>()).set(oid, { stamp, isLeft: isGone }));
  }
  return kept;
}

function keyOf({ ref, oid }: Line): string {
  return `${ref} ${oid}`;
}

function isLater(a: Mark, b: Mark): boolean {
  return a.stamp === b.stamp ? a.isLeft && !b.isLeft : a.stamp > b.stamp;
}

function broken(why: string): InputFault {
  return new InputFault('book of left commits', why);
}
