// What is said while a command waits, where lines are kept: as in a script's log.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { telling, tellProgress } from '../../../src/cli/progress.ts';
import { defer } from '../../helpers/deferred.ts';

let said: string;

beforeEach(() => {
  said = '';
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'dumb');
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('telling', () => {
  it('says nothing of what takes a moment', async () => {
    await telling('asking laptop', Promise.resolve(1));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(said).toBe('');
  });

  it('says what is waited for before a second is over, and not again with each', async () => {
    const work = defer<number>();
    const told = telling('asking laptop', work.promise);
    await vi.advanceTimersByTimeAsync(999);
    expect(said).toBe('asking laptop…\n');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(said).toBe('asking laptop…\n');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(said).toMatch(/^asking laptop…\nasking laptop… \d+ s\n$/);
    work.resolve(7);
    expect(await told).toBe(7);
  });

  it('says the innermost of several, and what changes', async () => {
    const [outer, inner] = [defer(), defer()];
    let step = 'one';
    const all = [telling('outer', outer.promise), telling(() => step, inner.promise)];
    await vi.advanceTimersByTimeAsync(1_500);
    step = 'two';
    await vi.advanceTimersByTimeAsync(1_500);
    expect(said).toBe('one…\ntwo…\n');
    inner.resolve();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(said).toBe('one…\ntwo…\nouter…\n');
    outer.resolve();
    await Promise.all(all);
  });

  it('passes on what the work fails with', async () => {
    await expect(telling('asking', Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('tellProgress', () => {
  it('tells how far a clone is, and at once that the other device has gone', () => {
    const show = tellProgress();
    show.line({ type: 'progress', isOnline: true, received: 5e6, total: 2e7, rate: 1e6, leftMs: 15_000, carrier: 'direct' }, 'laptop');
    show.line({ type: 'progress', isOnline: true, received: 6e6, total: 2e7 }, 'laptop');
    show.line({ type: 'progress', isOnline: false, received: 6e6 }, 'laptop');
    show.end();
    expect(said.split('\n').slice(0, 2)).toEqual([expect.stringMatching(/^Receiving, direct .* 25 % {2}5\.0 of 20\.0 MB {2}1\.0 MB\/s {2}15 s left$/), 'laptop is offline; this goes on when it returns']);
  });
});
