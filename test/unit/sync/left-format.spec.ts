import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import { formatLeft, isHeld, isLeft, MAX_BRANCH_BYTES, MAX_LEFT_BYTES, MAX_MARKS, MAX_STAMP, mergeLeft, NO_LEFT, noteMove, parseLeft } from '../../../src/sync/left-format.ts';
import type { LeftBook } from '../../../src/sync/left-format.ts';

const [MAIN, SIDE] = [parseRefName('refs/heads/main'), parseRefName('refs/heads/side')];
const oid = (number: number): Oid => parseOid(number.toString(16).padStart(40, '0'));
const [A, B, C] = [oid(10), oid(11), oid(12)];
const leave = (book: LeftBook, left: readonly Oid[], stamp = 1000): LeftBook => noteMove(book, { ref: MAIN, left, back: [], stamp });
const text = (book: LeftBook): string => Buffer.from(formatLeft(book)).toString('utf8');
const sizeOf = (book: LeftBook): number => [...book.values()].reduce((sum, marks) => sum + marks.size, 0);

describe('noteMove', () => {
  it('marks what a branch left, on that branch alone', () => {
    const book = leave(NO_LEFT, [A]);
    expect(isLeft(book, MAIN, A)).toBe(true);
    expect(isLeft(book, MAIN, B)).toBe(false);
    expect(isLeft(book, SIDE, A)).toBe(false);
  });

  it('marks back what was left, and nothing else', () => {
    const book = noteMove(leave(NO_LEFT, [A]), { ref: MAIN, left: [], back: [A, B], stamp: 2000 });
    expect(isLeft(book, MAIN, A)).toBe(false);
    expect(text(book)).toBe(`2000 + ${A} ${MAIN}\n`);
  });

  it('counts on from a mark of the future: a clock that went back does not lose to its own past', () => {
    const book = noteMove(leave(NO_LEFT, [A], 9000), { ref: MAIN, left: [], back: [A], stamp: 1000 });
    expect(isLeft(book, MAIN, A)).toBe(false);
    expect(isLeft(mergeLeft(book, leave(NO_LEFT, [A], 9000)), MAIN, A)).toBe(false);
  });

  it('takes any clock, one that is broken too', () => {
    for (const stamp of [-5, 0, 0.5, 1234.75, MAX_STAMP + 10]) {
      const book = leave(NO_LEFT, [A], stamp);
      expect(parseLeft(formatLeft(book))).toEqual(book);
    }
  });

  it('marks an automatic merge that a hub holds as solid', () => {
    const book = noteMove(NO_LEFT, { ref: MAIN, left: [], back: [], held: [C], stamp: 1000 });
    expect([isHeld(book, MAIN, C), isHeld(book, MAIN, A), isLeft(book, MAIN, C)]).toEqual([true, false, false]);
    expect(noteMove(book, { ref: MAIN, left: [], back: [], held: [C], stamp: 2000 })).toBe(book);
    expect(isHeld(leave(NO_LEFT, [C]), MAIN, C)).toBe(false);
  });
});

describe('mergeLeft', () => {
  it('lets the later mark count, and of two at once the one that leaves', () => {
    const [left, back] = [leave(NO_LEFT, [A], 2000), noteMove(leave(NO_LEFT, [A], 1000), { ref: MAIN, left: [], back: [A], stamp: 2000 })];
    expect(isLeft(mergeLeft(left, back), MAIN, A)).toBe(true);
    expect(isLeft(mergeLeft(back, left), MAIN, A)).toBe(true);
    const later = noteMove(leave(NO_LEFT, [A], 1000), { ref: MAIN, left: [], back: [A], stamp: 2001 });
    expect(isLeft(mergeLeft(left, later), MAIN, A)).toBe(false);
  });

  it('is the very same book where the other says nothing new', () => {
    const book = leave(leave(NO_LEFT, [A, B], 1000), [C], 2000);
    expect(mergeLeft(book, leave(NO_LEFT, [A], 500))).toBe(book);
    expect(mergeLeft(book, NO_LEFT)).toBe(book);
  });

  it('forgets the oldest beyond 4096 marks', () => {
    const oids = Array.from({ length: MAX_MARKS }, (_none, index) => oid(1000 + index));
    const book = mergeLeft(leave(NO_LEFT, oids, 2000), leave(NO_LEFT, [A], 1000));
    expect(sizeOf(book)).toBe(MAX_MARKS);
    expect(isLeft(book, MAIN, A)).toBe(false);
    expect(isLeft(leave(book, [A], 3000), MAIN, A)).toBe(true);
  });

  it('notes nothing of a branch whose name is beyond 1024 bytes, and can be read at its largest', () => {
    const named = (letter: string, bytes: number): RefName => parseRefName(`refs/heads/${letter.repeat((bytes - 'refs/heads/'.length) / Buffer.byteLength(letter))}`);
    expect(noteMove(NO_LEFT, { ref: named('ü', MAX_BRANCH_BYTES + 1), left: [A], back: [], stamp: 1 })).toEqual(NO_LEFT);
    const oids = Array.from({ length: MAX_MARKS + 1 }, (_none, index) => parseOid((1000 + index).toString(16).padStart(64, '0')));
    const largest = noteMove(NO_LEFT, { ref: named('a', MAX_BRANCH_BYTES), left: oids, back: [], stamp: MAX_STAMP });
    expect(formatLeft(largest).length).toBe(MAX_LEFT_BYTES);
    expect(parseLeft(formatLeft(largest))).toEqual(largest);
  });
});

describe('formatLeft', () => {
  it('writes lines in ascending order of ref and oid, whatever order they came in', () => {
    const book = leave(noteMove(leave(NO_LEFT, [B], 3), { ref: SIDE, left: [A], back: [], stamp: 1 }), [A], 2);
    expect(text(book)).toBe(`2 - ${A} ${MAIN}\n3 - ${B} ${MAIN}\n1 - ${A} ${SIDE}\n`);
    expect(formatLeft(NO_LEFT)).toHaveLength(0);
  });
});

describe('parseLeft', () => {
  it('reads what formatLeft wrote', () => {
    const book = leave(leave(NO_LEFT, [A, B], 1000), [C], 2000);
    expect(parseLeft(formatLeft(book))).toEqual(book);
    expect(parseLeft(new Uint8Array())).toEqual(NO_LEFT);
  });

  const line = (stamp: string, sign = '-', id: string = A, ref: string = MAIN): string => `${stamp} ${sign} ${id} ${ref}\n`;
  it.each([
    ['a stamp of zero', line('0')],
    ['a stamp that no double holds', line('9007199254740993')],
    ['another sign', line('1', '*')],
    ['half an oid', line('1', '-', 'abc')],
    ['a tag', line('1', '-', A, 'refs/tags/v1')],
    ['a ref that leads out', line('1', '-', A, 'refs/heads/../x')],
    ['a control character', line('1', '-', A, 'refs/heads/a\u0007')],
    ['bytes that are no text', Buffer.concat([utf8('1 - '), Uint8Array.of(0xff), utf8(line('1').slice(5))])],
    ['no line break at the end', line('1').trimEnd()],
    ['one mark twice', line('1') + line('2')],
    ['another order', line('1', '-', B) + line('1', '-', A)],
    ['an empty line', '\n'],
  ])('refuses %s', (_what, bytes) => {
    expect(() => parseLeft(typeof bytes === 'string' ? utf8(bytes) : bytes)).toThrow(InputFault);
  });

  it('refuses more marks or bytes than a book has', () => {
    const many = Array.from({ length: MAX_MARKS + 1 }, (_none, index) => line('1', '-', oid(index)));
    expect(() => parseLeft(utf8(many.join('')))).toThrow(/more than 4096 marks/);
    expect(() => parseLeft(new Uint8Array(MAX_LEFT_BYTES + 1))).toThrow(/larger than/);
  });
});
