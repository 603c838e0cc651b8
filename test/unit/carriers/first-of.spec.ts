import { describe, expect, it } from 'vitest';
import { firstOf } from '../../../src/carriers/first-of.ts';
import type { Attempt } from '../../../src/carriers/first-of.ts';
import { delay } from '../../../src/lib/clock.ts';
import { EventClock, settle } from '../../helpers/event-clock.ts';

function race(...ways: readonly (readonly [takesMs: number, name: string | undefined])[]) {
  const clock = new EventClock();
  const since = clock.now();
  const [started, stopped, discarded]: [number[], string[], string[]] = [[], [], []];
  const give = new AbortController();
  const attempts = ways.map(([takesMs, name], at): Attempt<string> => async (signal) => {
    started[at] = clock.now() - since;
    signal.addEventListener('abort', () => stopped.push(`${at}`));
    await delay(takesMs, clock);
    if (name === undefined) throw new Error('no');
    return name;
  });
  const result = firstOf(attempts, { clock, staggerMs: 250, discard: (late) => discarded.push(late), signal: give.signal });
  return { clock, result, started, stopped, discarded, give };
}

describe('firstOf', () => {
  it('starts the next way after 250 ms, and the first that succeeds is the one', async () => {
    const { clock, result, started, discarded, stopped } = race([1000, 'slow'], [100, 'quick'], [1, 'never']);
    expect(await clock.finish(result)).toBe('quick');
    expect(started).toEqual([0, 250]);
    expect(stopped).toEqual(['0', '1']);
    await clock.advance(2000);
    expect(discarded).toEqual(['slow']);
    expect(started).toHaveLength(2);
  });

  it('keeps to the best way while it answers soon', async () => {
    const { clock, result, started } = race([200, 'best'], [1, 'second']);
    expect(await clock.finish(result)).toBe('best');
    expect(started).toEqual([0]);
  });

  it('starts the next way at once when one fails', async () => {
    const { clock, result, started } = race([10, undefined], [10, undefined], [10, 'third']);
    expect(await clock.finish(result)).toBe('third');
    expect(started).toEqual([0, 10, 20]);
  });

  it('gives nothing when all ways fail, or there is none', async () => {
    const { clock, result } = race([600, undefined], [10, undefined]);
    expect(await clock.finish(result)).toBeUndefined();
    expect(await race().result).toBeUndefined();
  });

  it('stops every way when it is told to', async () => {
    const { clock, result, give, stopped, discarded } = race([1000, 'a'], [1000, 'b'], [1000, 'c']);
    await clock.advance(300);
    give.abort();
    expect(await result).toBeUndefined();
    expect(stopped).toEqual(['0', '1']);
    await clock.advance(2000);
    expect(discarded).toEqual(['a', 'b']);
    await settle();
  });
});
