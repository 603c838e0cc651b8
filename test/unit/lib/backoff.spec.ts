import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/lib/backoff.ts';

describe('Backoff', () => {
  it('doubles up to its cap, between a half and the whole of it', () => {
    const least = new Backoff({ baseMs: 100, capMs: 1000 });
    const most = new Backoff({ baseMs: 100, capMs: 1000 });
    expect(Array.from({ length: 6 }, () => least.fail(0))).toEqual([50, 100, 200, 400, 500, 500]);
    expect(Array.from({ length: 6 }, () => most.fail(1))).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('starts over after success', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 1000 });
    backoff.fail(0);
    backoff.fail(0);
    expect(backoff.failures).toBe(2);
    backoff.succeed();
    expect(backoff.failures).toBe(0);
    expect(backoff.fail(0)).toBe(50);
  });

  it('stays at its cap however often it fails', () => {
    const backoff = new Backoff({ baseMs: 1, capMs: 60_000 });
    for (let count = 0; count < 2000; count += 1) backoff.fail(0.5);
    expect(backoff.fail(1)).toBe(60_000);
  });
});
