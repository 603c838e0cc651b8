// The laws behind convergence (docs/CONVERGENCE.md): joins and books are semilattices, so any order and any repetition end at the same.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOid, parseRefName } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';
import { decideJoin, joinCandidates } from '../../src/sync/join.ts';
import type { Tip } from '../../src/sync/join.ts';
import { formatLeft, MAX_MARKS, MAX_STAMP, mergeLeft, NO_LEFT, noteMove, parseLeft } from '../../src/sync/left-format.ts';
import type { LeftBook, Mark } from '../../src/sync/left-format.ts';
import { Commits } from '../simulate/commits.ts';

/** A history of people's commits, and tips of it: single commits, automatic merges, merges that a hub stands on. */
const history = fc.record({
  seed: fc.nat(),
  parents: fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 12 }),
  left: fc.array(fc.nat(), { maxLength: 8 }),
  tips: fc.tuple(...[0, 1, 2].map(() => fc.record({ of: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), isHub: fc.boolean() }))),
});

/** A world in which `join` is what a device does. */
class Lattice {
  readonly commits: Commits;
  readonly left: ReadonlySet<Oid>;
  readonly tips: readonly Tip[];

  constructor({ seed, parents, left, tips }: typeof history extends fc.Arbitrary<infer T> ? T : never) {
    this.commits = new Commits(seed);
    const made = [this.commits.make([])];
    const pick = (number: number): Oid => made[number % made.length] ?? made[0] ?? parseOid('0'.repeat(40));
    for (const of of parents) made.push(this.commits.make([...new Set(of.map(pick))]));
    this.left = new Set(left.map(pick));
    this.tips = tips.map(({ of, isHub }) => {
      const maximal = this.commits.maximal([...new Set(of.map(pick))]).toSorted();
      const [only = pick(0)] = maximal;
      const oid = maximal.length === 1 ? only : this.commits.merge(maximal, 0);
      return { oid, solids: isHub ? [oid] : maximal };
    });
  }

  /** What a device with `ours` has after it heard of `theirs`. */
  join(ours: Tip, theirs: Tip, git = 0): Tip {
    const candidates = joinCandidates(ours, theirs, (oid) => this.left.has(oid));
    const maximal = this.commits.maximal(candidates);
    const joined = decideJoin(ours, theirs, maximal);
    const solids = maximal.toSorted();
    if (joined.do === 'keep') return ours;
    return joined.do === 'move' ? { oid: joined.to, solids } : { oid: this.commits.merge(joined.parents, git), solids };
  }
}

const solids = (tip: Tip): readonly Oid[] => tip.solids.toSorted();

function forTips(check: (lattice: Lattice, a: Tip, b: Tip, c: Tip) => void): void {
  fc.assert(
    fc.property(history, (drawn) => {
      const lattice = new Lattice(drawn);
      const [a, b, c] = lattice.tips;
      if (a !== undefined && b !== undefined && c !== undefined) check(lattice, a, b, c);
    }),
    { numRuns: 1500 },
  );
}

describe('a join', () => {
  it('is commutative', () => {
    forTips((lattice, a, b) => expect(solids(lattice.join(a, b))).toEqual(solids(lattice.join(b, a))));
  });

  it('is associative, whatever was left, and where all was', () => {
    let fallbacks = 0;
    forTips((lattice, a, b, c) => {
      if ([...a.solids, ...b.solids].every((oid) => lattice.left.has(oid))) fallbacks += 1;
      expect(solids(lattice.join(lattice.join(a, b), c))).toEqual(solids(lattice.join(a, lattice.join(b, c))));
    });
    expect(fallbacks).toBeGreaterThan(50);
  });

  it('is idempotent: what was heard once changes nothing when heard again, from either side', () => {
    forTips((lattice, a, b) => {
      const once = lattice.join(a, b);
      expect(lattice.join(once, b)).toEqual(once);
      expect(lattice.join(once, a)).toEqual(once);
      expect(lattice.join(once, once)).toEqual(once);
    });
  });

  it('is one commit on two devices that hear of one another, though their gits write merges otherwise', () => {
    forTips((lattice, a, b) => {
      const [one, other] = [lattice.join(a, b, 0), lattice.join(b, a, 1)];
      expect(lattice.join(one, other, 0).oid).toBe(lattice.join(other, one, 1).oid);
    });
  });

  it('holds all that was not left', () => {
    forTips((lattice, a, b) => {
      const { oid } = lattice.join(a, b);
      for (const solid of [...a.solids, ...b.solids]) expect(lattice.left.has(solid) || lattice.commits.isWithin(solid, oid)).toBe(true);
    });
  });
});

const refs = ['main', 'side', 'ü'].map((name) => parseRefName(`refs/heads/${name}`));
const oids = Array.from({ length: 6 }, (_none, index) => parseOid(index.toString(16).repeat(40)));
const mark: fc.Arbitrary<Mark> = fc.record({ stamp: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: MAX_STAMP })), isLeft: fc.boolean() });
const small: fc.Arbitrary<LeftBook> = fc
  .array(fc.tuple(fc.constantFrom(...refs), fc.constantFrom(...oids), mark), { maxLength: 12 })
  .map((entries) => new Map(refs.map((ref) => [ref, new Map(entries.filter(([of]) => of === ref).map(([, oid, each]) => [oid, each]))] as const)));
/** Books that are too large together, of branches with short and long names. */
const large: fc.Arbitrary<LeftBook> = fc
  .record({ from: fc.nat(3000), count: fc.integer({ min: 1000, max: 2500 }), stamp: fc.integer({ min: 1, max: 3 }), isLeft: fc.boolean(), isLong: fc.boolean() })
  .map(({ from, count, stamp, isLeft, isLong }) => {
    const ref = parseRefName(`refs/heads/${isLong ? 'x'.repeat(400) : 'x'}`);
    const marks = Array.from({ length: count }, (_none, index) => [parseOid((from + index).toString(16).padStart(40, '0')), { stamp: stamp + (index % 3), isLeft }] as const);
    return mergeLeft(NO_LEFT, new Map([[ref, new Map(marks)]]));
  });

describe.each([
  { size: 'small', book: small, numRuns: 500 },
  { size: 'too large', book: large, numRuns: 12 },
])('a merge of books that are $size', ({ book, numRuns }) => {
  it('is the same in any order and any grouping, and says nothing new when said again', () => {
    fc.assert(
      fc.property(book, book, book, (a, b, c) => {
        const text = (one: LeftBook): string => Buffer.from(formatLeft(one)).toString('utf8');
        const all = text(mergeLeft(mergeLeft(a, b), c));
        expect(text(mergeLeft(a, mergeLeft(b, c)))).toBe(all);
        expect(text(mergeLeft(mergeLeft(c, a), b))).toBe(all);
        const once = mergeLeft(a, b);
        expect(text(mergeLeft(once, a))).toBe(text(once));
        expect(text(mergeLeft(once, b))).toBe(text(once));
      }),
      { numRuns },
    );
  });
});

describe('a book', () => {
  it('is read back by parseLeft from what formatLeft wrote', () => {
    fc.assert(
      fc.property(small, (drawn) => {
        const book = mergeLeft(NO_LEFT, drawn);
        expect(parseLeft(formatLeft(book))).toEqual(book);
      }),
    );
  });

  it('says after a move what the move was, whatever clock and whatever was marked before, and never grows beyond its limit', () => {
    fc.assert(
      fc.property(small, fc.constantFrom(...refs), fc.subarray(oids), fc.subarray(oids), fc.double({ noNaN: true, min: -1e17, max: 1e14 }), (book, ref, left, back, stamp) => {
        const kept = back.filter((oid) => !left.includes(oid));
        const noted = noteMove(book, { ref, left, back: kept, stamp });
        for (const oid of kept) expect(noted.get(ref)?.get(oid)?.isLeft ?? false).toBe((book.get(ref)?.get(oid)?.stamp ?? 0) >= MAX_STAMP && (book.get(ref)?.get(oid)?.isLeft ?? false));
        for (const oid of left) expect((noted.get(ref)?.get(oid)?.isLeft ?? false) || (book.get(ref)?.get(oid)?.stamp ?? 0) >= MAX_STAMP).toBe(true);
        expect(parseLeft(formatLeft(noted)).size).toBeLessThanOrEqual(MAX_MARKS);
        expect(mergeLeft(noted, book)).toBe(noted);
      }),
    );
  });

  it('is taken in or refused in words, whatever bytes come', () => {
    const spoilt = fc.tuple(small, fc.nat(), fc.nat(255)).map(([book, at, by]) => {
      const bytes = Uint8Array.from(formatLeft(mergeLeft(NO_LEFT, book)));
      if (bytes.length > 0) bytes[at % bytes.length] = by;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.uint8Array()), (bytes) => {
        try {
          expect(formatLeft(parseLeft(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toHaveProperty('code', 'bad-input');
        }
      }),
    );
  });
});
