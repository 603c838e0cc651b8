// Slices of invented histories: every prefix is closed under ancestry, nothing is left out, and none is larger than asked but for one
// commit that is.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';
import { isFastPath, MAX_PARTIALS, MAX_SLICE_BYTES, MIN_SLICE_BYTES, nextLimit, SlicePlanner } from '../../src/sync/slice-plan.ts';
import type { Slice, Step } from '../../src/sync/slice-plan.ts';

const oidOf = (index: number): Oid => parseOid(index.toString(16).padStart(40, '0'));

/** Commits, each with up to three parents among those before it. */
const histories = fc
  .array(fc.record({ parents: fc.array(fc.nat(), { maxLength: 3 }), isRoot: fc.boolean(), bytes: fc.integer({ min: 1, max: 5000 }) }), { maxLength: 200 })
  .map((seeds) =>
    seeds.map(({ parents, bytes, isRoot }, index): Step => {
      // Mostly near ones, as in real histories; a root now and then.
      const near = index === 0 || (isRoot && parents.length === 0) ? [] : [...parents, 0].map((back) => index - 1 - (back % Math.min(index, 5)));
      return { oid: oidOf(index), parents: [...new Set(near)].map(oidOf), bytes };
    }),
  );
const limits = fc.integer({ min: 1, max: 20_000 });

function closureOf(history: readonly Step[], tips: Iterable<Oid>): Set<Oid> {
  const byOid = new Map(history.map((step) => [step.oid, step]));
  const found = new Set<Oid>();
  const open = [...tips];
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    if (found.has(oid)) continue;
    found.add(oid);
    open.push(...(byOid.get(oid)?.parents ?? []));
  }
  return found;
}

function plan(history: readonly Step[], limitOf: (index: number) => number): { readonly slices: readonly { slice: Slice; taken: number; limit: number }[]; readonly rest: number } {
  const planner = new SlicePlanner();
  let [taken, isGiantNext] = [0, false];
  const slices = history.flatMap((step, index) => {
    const limit = limitOf(index);
    const cut = planner.add(step, limit);
    return cut.map((slice) => {
      isGiantNext = slice.giant !== undefined;
      taken = isGiantNext ? index + 1 : index;
      return { slice, taken, limit };
    });
  });
  return { slices, rest: planner.rest };
}

describe('a plan of slices', () => {
  it('leads, after each slice, to exactly the commits that came before the cut', () => {
    fc.assert(
      fc.property(histories, limits, (history, limit) => {
        const sent = new Set<Oid>();
        for (const { slice, taken } of plan(history, () => limit).slices) {
          for (const tip of slice.tips) sent.add(tip);
          expect(closureOf(history, sent)).toEqual(new Set(history.slice(0, taken).map(({ oid }) => oid)));
        }
      }),
    );
  });

  it('brings every byte once, in slices and the rest', () => {
    fc.assert(
      fc.property(histories, fc.array(limits, { minLength: 1 }), (history, changing) => {
        const { slices, rest } = plan(history, (index) => changing[index % changing.length] ?? 1);
        const sum = slices.reduce((total, { slice }) => total + slice.bytes, 0);
        expect(sum + rest).toBe(history.reduce((total, { bytes }) => total + bytes, 0));
      }),
    );
  });

  it('has no slice above the limit but single commits, and leaves a rest of at most one slice', () => {
    fc.assert(
      fc.property(histories, limits, (history, limit) => {
        const { slices, rest } = plan(history, () => limit);
        for (const { slice } of slices) {
          if (slice.giant === undefined) expect(slice.bytes).toBeLessThanOrEqual(limit);
          else expect(slice).toMatchObject({ tips: [slice.giant.oid], bytes: slice.giant.bytes });
        }
        expect(rest).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('does not cut where more ends are open than a receiver keeps', () => {
    const many = Array.from({ length: MAX_PARTIALS + 2 }, (_none, index): Step => ({ oid: oidOf(index), parents: [], bytes: 10 }));
    const merge: Step = { oid: oidOf(500), parents: many.map(({ oid }) => oid), bytes: 10 };
    const after: Step = { oid: oidOf(501), parents: [merge.oid], bytes: 100 };
    const { slices } = plan([...many, merge, after], (index) => (index < many.length ? 2000 : 15));
    expect(slices.map(({ slice }) => slice.tips)).toEqual([[merge.oid], [after.oid]]);
    expect(plan(many, () => 5).slices).toHaveLength(MAX_PARTIALS);
  });
});

describe('the size of the next slice', () => {
  it('stays within its bounds and grows at most fourfold, whatever was measured', () => {
    fc.assert(
      fc.property(fc.integer({ min: MIN_SLICE_BYTES, max: MAX_SLICE_BYTES }), fc.nat(2 ** 31), fc.nat(10 ** 8), (limit, bytes, ms) => {
        const next = nextLimit(limit, { bytes, ms });
        expect(next).toBeGreaterThanOrEqual(MIN_SLICE_BYTES);
        expect(next).toBeLessThanOrEqual(Math.min(MAX_SLICE_BYTES, limit * 4));
      }),
    );
  });

  it('becomes what takes twenty seconds', () => {
    expect(nextLimit(2 ** 20, { bytes: 2 ** 20, ms: 40_000 })).toBe(2 ** 19);
    expect(nextLimit(2 ** 20, { bytes: 2 ** 20, ms: 10_000 })).toBe(2 ** 21);
    expect(nextLimit(2 ** 20, { bytes: 2 ** 20, ms: 1 })).toBe(2 ** 22);
    expect(nextLimit(2 ** 20, { bytes: 100, ms: 40_000 })).toBe(2 ** 20);
  });
});

describe('a fast path', () => {
  it('is one that took five megabytes a second or more, in which its round trips count', () => {
    expect(isFastPath({ bytes: 10e6, ms: 2000 })).toBe(true);
    expect(isFastPath({ bytes: 10e6, ms: 2001 })).toBe(false);
    expect(isFastPath({ bytes: 256 * 1024, ms: 100 })).toBe(false);
    expect(isFastPath({ bytes: 0, ms: 0 })).toBe(false);
  });
});
