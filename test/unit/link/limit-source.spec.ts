// A source under limits, with the carrier's part played.

import { describe, expect, it } from 'vitest';
import { limitSource, makeBucket } from '../../../src/link/limit-source.ts';
import { TestSource } from '../../helpers/carrier-ends.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

function limited(rates: readonly number[], bytes: number) {
  const clock = new VirtualClock();
  const source = new TestSource();
  source.write(new Uint8Array(bytes));
  let taken = 0;
  const pump = (): void => {
    for (;;) {
      const { length } = under.takeOutgoing(4096);
      if (length === 0) return;
      taken += length;
    }
  };
  const limits = { buckets: rates.map((rate) => makeBucket(rate, clock)) };
  const under = limitSource(source, () => limits.buckets, { clock, wake: pump });
  return { clock, source, under, pump, limits, taken: () => taken };
}

describe('limitSource', () => {
  it('wakes the carrier whenever there is more, until all has gone', () => {
    const { clock, pump, taken } = limited([10_000], 50_000);
    pump();
    expect(taken()).toBe(4096);
    clock.advance(2000);
    expect(taken()).toBeLessThanOrEqual(24_096);
    expect(taken()).toBeGreaterThan(19_000);
    clock.advance(3000);
    expect(taken()).toBe(50_000);
  });

  it('keeps the tightest of its limits', () => {
    const { clock, pump, taken } = limited([1_000_000, 5000, 50_000], 1_000_000);
    pump();
    clock.advance(10_000);
    expect(taken()).toBeLessThanOrEqual(4096 + 50_000);
    expect(taken()).toBeGreaterThan(45_000);
  });

  it('has no timer set while the source is empty', () => {
    const { clock, pump, taken } = limited([100_000], 1000);
    pump();
    clock.advance(60_000);
    expect(taken()).toBe(1000);
    expect(clock.timers).toBe(0);
  });

  it('sets none after it was stopped', () => {
    const { clock, under, pump } = limited([10_000], 50_000);
    pump();
    under.stop();
    expect(clock.timers).toBe(0);
  });

  it('follows limits that are set, changed and taken away while bytes move', () => {
    const { clock, pump, taken, limits } = limited([], 5_000_000);
    limits.buckets = [makeBucket(10_000, clock)];
    pump();
    clock.advance(10_000);
    expect(taken()).toBeLessThanOrEqual(104_096);
    limits.buckets = [makeBucket(100_000, clock)];
    const before = taken();
    clock.advance(10_000);
    expect(taken() - before).toBeGreaterThan(900_000);
    limits.buckets = [];
    clock.advance(1000);
    expect(taken()).toBe(5_000_000);
  });

  it('passes a probe on to the source', () => {
    const clock = new VirtualClock();
    const probed = { takeOutgoing: () => new Uint8Array(0), probe: () => true };
    const options = { clock, wake: () => undefined };
    expect(limitSource(probed, () => [], options).probe?.()).toBe(true);
    expect(limitSource(new TestSource(), () => [], options).probe?.()).toBe(false);
  });

  it('is as fast as the source where there is no limit', () => {
    const { pump, taken, clock } = limited([], 1_000_000);
    pump();
    expect(taken()).toBe(1_000_000);
    expect(clock.timers).toBe(0);
  });
});
