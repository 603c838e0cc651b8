import { describe, expect, it } from 'vitest';
import { BURN_WINDOW_MS, Burns } from '../../../src/pairing/burns.ts';

const MINUTE = 60_000;

describe('Burns', () => {
  it('lets two burnt codes pass', () => {
    const burns = new Burns();
    burns.record(0);
    burns.record(MINUTE);
    expect(burns.waitMs(MINUTE)).toBe(0);
    expect(() => burns.check(MINUTE)).not.toThrow();
  });

  it('makes the third within ten minutes wait until the first is ten minutes old', () => {
    const burns = new Burns();
    for (const at of [0, MINUTE, 2 * MINUTE]) burns.record(at);
    expect(burns.waitMs(2 * MINUTE)).toBe(8 * MINUTE);
    expect(burns.waitMs(BURN_WINDOW_MS - 1)).toBe(1);
    expect(burns.waitMs(BURN_WINDOW_MS)).toBe(0);
  });

  it('says how long, and offers an invite', () => {
    const burns = new Burns();
    for (const at of [0, 0, 0]) burns.record(at);
    const remedy = 'wait 7 minutes, or run "git xmpp pair --invite"';
    expect(() => burns.check(3 * MINUTE + 1)).toThrow(expect.objectContaining({ code: 'throttled', remedy }));
  });

  it('does not count codes burnt long apart', () => {
    const burns = new Burns();
    for (const at of [0, 6 * MINUTE, 12 * MINUTE]) burns.record(at);
    expect(burns.waitMs(12 * MINUTE)).toBe(0);
  });

  it('waits at most ten minutes when the clock is set back', () => {
    const burns = new Burns();
    for (const at of [90 * MINUTE, 91 * MINUTE, 92 * MINUTE]) burns.record(at);
    expect(burns.waitMs(0)).toBe(BURN_WINDOW_MS);
  });
});
