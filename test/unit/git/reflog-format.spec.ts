import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReflogLine } from '../../../src/git/reflog-format.ts';

const oid = (length: 40 | 64) => fc.string({ unit: fc.constantFrom(...'0 1 2 3 4 5 6 7 8 9 a b c d e f'.split(' ')), minLength: length, maxLength: length });
const entries = fc.constantFrom(40 as const, 64 as const).chain((length) =>
  fc.record({ from: oid(length), to: oid(length), name: fc.constantFrom('Ann', 'Ann B. Lee', 'deadbeef', ''), seconds: fc.nat(4e9), message: fc.constantFrom('commit: one', 'reset: moving to HEAD~1', 'xmpp: follow laptop', '') }),
);
type Entry = typeof entries extends fc.Arbitrary<infer T> ? T : never;

function format({ from, to, name, seconds, message }: Entry): string {
  return `${from} ${to} ${name} <ann@example.org> ${seconds} +0100\t${message}`;
}

describe('a line of a reflog', () => {
  it('gives what was written down', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { from, to, seconds, message } = entry;
        expect(parseReflogLine(format(entry))).toEqual({ from, to, seconds, message });
      }),
    );
  });

  it('gives the entry behind one that a full disk has cut, wherever that was', () => {
    fc.assert(
      fc.property(entries, entries, fc.double({ min: 0, max: 1, noNaN: true }), (one, entry, share) => {
        fc.pre(one.from.length === entry.from.length);
        const { from, to, seconds, message } = entry;
        const whole = format(one);
        expect(parseReflogLine(whole.slice(0, Math.floor(share * whole.length)) + format(entry))).toEqual({ from, to, seconds, message });
      }),
    );
  });

  it.each(['', ' ', '\t', 'nonsense', 'a b c\td', `${'a'.repeat(40)} ${'b'.repeat(39)} Ann <a@b.c> 1 +0000\tx`, `${'a'.repeat(40)} ${'b'.repeat(64)} Ann <a@b.c> 1 +0000\tx`])('has none in %j', (line) => {
    expect(parseReflogLine(line)).toBeUndefined();
  });

  it('needs neither a message nor a name', () => {
    expect(parseReflogLine(`${'a'.repeat(40)} ${'b'.repeat(40)} <> 7 +0000`)).toEqual({ from: 'a'.repeat(40), to: 'b'.repeat(40), seconds: 7, message: '' });
  });
});
