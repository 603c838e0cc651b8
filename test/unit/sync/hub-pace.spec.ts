import { describe, expect, it } from 'vitest';
import { dueAt, newPace, noteChanged, notePushed, noteRefused } from '../../../src/sync/hub-pace.ts';
import type { Moment, Pace } from '../../../src/sync/hub-pace.ts';

const at = (now: number, random = 0): Moment => ({ now, random: () => random });

const dueOf = (pace: Pace, { isOwn = false, isAutomatic = false } = {}): number => dueAt(pace, { isOwn, isAutomatic });

/** A branch whose tip changed and was pushed at each of these times. */
function pushedAt(...times: readonly number[]): Pace {
  const pace = newPace();
  for (const now of times) {
    noteChanged(pace, at(now), false);
    notePushed(pace, now);
  }
  return pace;
}

describe('the pace of pushes to a hub', () => {
  it('is at once where nobody else moved the branch lately', () => {
    const pace = newPace();
    noteChanged(pace, at(1000), false);
    expect(dueOf(pace)).toBe(0);
  });

  it('waits 5 to 15 s from our last change where somebody did, and 15 s from theirs at most', () => {
    const pace: Pace = { ...newPace(), movedAt: 100_000 };
    noteChanged(pace, at(101_000, 0), false);
    expect(dueOf(pace)).toBe(106_000);
    noteChanged(pace, at(108_000, 0.99), false);
    expect(dueOf(pace)).toBe(115_000);
    expect(dueOf(pace, { isOwn: true })).toBe(0);
  });

  it('takes a branch for contested that was refused, after its push went through too', () => {
    const pace = newPace();
    noteChanged(pace, at(100_000, 0), false);
    noteRefused(pace, at(101_000, 0));
    pace.refusals = 0;
    noteChanged(pace, at(102_000, 0), false);
    expect(dueOf(pace)).toBe(107_000);
  });

  it('waits for quiet with an automatic merge in any case, and with our own ref never', () => {
    const pace = newPace();
    noteChanged(pace, at(101_000, 0.5), false);
    expect(dueOf(pace, { isAutomatic: true })).toBe(111_000);
    expect(dueOf(pace, { isOwn: true, isAutomatic: true })).toBe(0);
  });

  it('doubles with each refusal, for our own ref too', () => {
    const pace = newPace();
    noteRefused(pace, at(1000, 0));
    expect(dueOf(pace)).toBe(11_000);
    noteRefused(pace, at(20_000, 0));
    expect([dueOf(pace), dueOf(pace, { isOwn: true })]).toEqual([40_000, 40_000]);
  });

  it('lets a person push a few commits one after another, and then waits ever longer', () => {
    const times = [0, 2000, 4000];
    const pace = pushedAt(...times);
    noteChanged(pace, at(6000), false);
    expect(dueOf(pace)).toBe(0);
    notePushed(pace, 6000);
    noteChanged(pace, at(8000), false);
    const first = dueOf(pace);
    expect(first).toBe(18_000);
    notePushed(pace, first);
    noteChanged(pace, at(20_000), false);
    expect(dueOf(pace) - 20_000).toBe(20_000);
  });

  it('waits four times longer with each merge in a row that says nothing new, for some hours at most, and not so for a person\'s commit', () => {
    const pace = newPace();
    const wait = (isIdle: boolean): number => {
      noteChanged(pace, at(1000), isIdle);
      return dueOf(pace, { isAutomatic: true }) - 1000;
    };
    expect([1, 2, 3].map(() => wait(true))).toEqual([20_000, 80_000, 320_000]);
    expect(wait(false)).toBe(5_000);
    expect([1, 2, 3, 4, 5, 6, 7].map(() => wait(true)).slice(-2)).toEqual([5_120_000, 5_120_000]);
    expect(dueOf(pace)).toBe(0);
    noteChanged(pace, at(1000, 0.999), true);
    expect(dueOf(pace, { isAutomatic: true })).toBeLessThan(4.3 * 3_600_000);
  });

  it('is at once again after a quiet while', () => {
    const pace = pushedAt(0, 2000, 4000, 6000);
    noteChanged(pace, at(8000), false);
    expect(dueOf(pace)).toBeGreaterThan(8000);
    notePushed(pace, 200_000);
    noteChanged(pace, at(201_000), false);
    expect(dueOf(pace)).toBe(0);
  });
});
