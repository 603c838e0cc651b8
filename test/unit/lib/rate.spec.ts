// How fast bytes move.

import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../src/lib/rate.ts';

describe('RateMeter', () => {
  it('comes to the rate of a steady stream, whatever its pieces', () => {
    for (const [count, every] of [[1000, 10], [50_000, 500]] as const) {
      const meter = new RateMeter();
      for (let now = 0; now < 20_000; now += every) meter.add(count, now);
      expect(meter.read(20_000)).toBeGreaterThan(85_000);
      expect(meter.read(20_000)).toBeLessThan(115_000);
    }
  });

  it('is 0 before the first byte and a while after the last', () => {
    const meter = new RateMeter();
    expect(meter.read(5)).toBe(0);
    meter.add(100_000, 10);
    expect(meter.read(10)).toBe(50_000);
    expect(meter.read(40_000)).toBe(0);
  });

  it('does not grow when time stands still or steps back', () => {
    const meter = new RateMeter();
    meter.add(1000, 5000);
    expect(meter.read(1000)).toBe(500);
  });
});
