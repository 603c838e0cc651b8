// The user's own limits against any schedule.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask, Bucket } from '../../src/link/limit-machine.ts';

describe('buckets', () => {
  it('never let more through than rate × time and one burst, over any stretch of any schedule', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 3000 }), max: fc.integer({ min: 1, max: 70_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1_000_000 }), fc.array(step, { maxLength: 60 }), (rate, steps) => {
        const bucket = new Bucket(rate, 0);
        const taker = {};
        const moved: { readonly at: number; readonly bytes: number }[] = [];
        let now = 0;
        for (const { wait, max, share } of steps) {
          now += wait;
          const { room } = ask([bucket], taker, max, now);
          const bytes = Math.floor(room * share);
          bucket.take(bytes);
          moved.push({ at: now, bytes });
        }
        for (let first = 0; first < moved.length; first += 1) {
          let sum = 0;
          for (const { at, bytes } of moved.slice(first)) {
            sum += bytes;
            expect(sum).toBeLessThanOrEqual(((at - (moved[first]?.at ?? 0)) / 1000) * rate + bucket.burst + 1);
          }
        }
      }),
    );
  });

  it('starve nobody who comes back when told to, and lose no more than a tenth of the rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2000, max: 500_000 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 5 }), (rate, count, own) => {
        const all = new Bucket(rate, 0);
        const takers = Array.from({ length: count }, (_, index) => ({ buckets: index < own ? [all, new Bucket(rate, 0)] : [all], at: 0, got: 0 }));
        const end = 120_000;
        for (;;) {
          const next = takers.reduce((first, one) => (one.at < first.at ? one : first));
          if (next.at > end) break;
          const { room, waitMs } = ask(next.buckets, next, 4096, next.at);
          for (const bucket of next.buckets) bucket.take(room);
          next.got += room;
          if (next.got > 2 * rate * (end / 1000) + 100_000) throw new Error('it takes more than its limit, without end');
          if (room === 0) next.at += Math.max(1, waitMs);
        }
        const sum = takers.reduce((total, { got }) => total + got, 0);
        expect(sum).toBeGreaterThan(0.9 * rate * (end / 1000));
        for (const { got } of takers) expect(got).toBeGreaterThan((0.4 * sum) / count);
      }),
      { numRuns: 60 },
    );
  });
});
