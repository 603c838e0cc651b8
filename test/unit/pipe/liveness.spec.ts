// When silence matters.

import { describe, expect, it } from 'vitest';
import { Liveness } from '../../../src/pipe/liveness.ts';

describe('Liveness', () => {
  it('has nothing to do while nothing is expected', () => {
    const liveness = new Liveness();
    liveness.heard(0);
    expect([liveness.nextAt, liveness.wakeup(1_000_000)]).toEqual([undefined, 'well']);
  });

  it('pings after 8 s and 16 s of silence, and gives up after 20 s', () => {
    const liveness = new Liveness();
    liveness.expect(true, 1000);
    expect(liveness.nextAt).toBe(9000);
    expect(liveness.wakeup(8999)).toBe('well');
    expect(liveness.wakeup(9000)).toBe('ping');
    expect(liveness.wakeup(9000)).toBe('well');
    expect(liveness.nextAt).toBe(17_000);
    expect(liveness.wakeup(17_000)).toBe('ping');
    expect(liveness.nextAt).toBe(21_000);
    expect(liveness.wakeup(20_999)).toBe('well');
    expect(liveness.wakeup(21_000)).toBe('dead');
  });

  it('counts silence from the moment that it matters', () => {
    const liveness = new Liveness();
    liveness.heard(0);
    liveness.expect(true, 100_000);
    liveness.expect(true, 104_000);
    expect(liveness.nextAt).toBe(108_000);
  });

  it('starts over when something is heard', () => {
    const liveness = new Liveness();
    liveness.expect(true, 0);
    liveness.wakeup(8000);
    liveness.wakeup(16_000);
    liveness.heard(19_000);
    expect([liveness.wakeup(20_000), liveness.nextAt]).toEqual(['well', 27_000]);
  });

  it('asks before it gives up when the time has jumped', () => {
    const liveness = new Liveness();
    liveness.expect(true, 0);
    expect(liveness.wakeup(3_600_000)).toBe('ping');
    expect(liveness.wakeup(3_611_999)).toBe('ping');
    expect(liveness.wakeup(3_612_000)).toBe('dead');
  });
});
