import { describe, expect, it } from 'vitest';
import { dueAt, newPace, noteChanged, notePushed, noteRefused } from '../../../src/sync/hub-pace.ts';
import type { Moment, Pace } from '../../../src/sync/hub-pace.ts';

const at = (now: number, random = 0): Moment => ({ now, random: () => random });

/** A branch whose tip changed and was pushed at each of these times. */
function pushedAt(...times: readonly number[]): Pace {
  const pace = newPace();
  for (const now of times) {
    noteChanged(pace, at(now));
    notePushed(pace, now);
  }
  return pace;
}

describe('the pace of pushes to a hub', () => {
  it('is at once where nobody else moved the branch lately', () => {
    const pace = newPace();
    noteChanged(pace, at(1000));
    expect(dueAt(pace, false)).toBe(0);
  });

  it('waits 5 to 15 s from our last change where somebody did, and 15 s from theirs at most', () => {
    const pace: Pace = { ...newPace(), movedAt: 100_000 };
    noteChanged(pace, at(101_000, 0));
    expect(dueAt(pace, false)).toBe(106_000);
    noteChanged(pace, at(108_000, 0.99));
    expect(dueAt(pace, false)).toBe(115_000);
    expect(dueAt(pace, true)).toBe(0);
  });

  it('doubles with each refusal, for our own ref too', () => {
    const pace = newPace();
    noteRefused(pace, at(1000, 0));
    expect(dueAt(pace, false)).toBe(11_000);
    noteRefused(pace, at(20_000, 0));
    expect([dueAt(pace, false), dueAt(pace, true)]).toEqual([40_000, 40_000]);
  });

  it('lets a person push a few commits one after another, and then waits ever longer', () => {
    const times = [0, 2000, 4000];
    const pace = pushedAt(...times);
    noteChanged(pace, at(6000));
    expect(dueAt(pace, false)).toBe(0);
    notePushed(pace, 6000);
    noteChanged(pace, at(8000));
    const first = dueAt(pace, false);
    expect(first).toBe(18_000);
    notePushed(pace, first);
    noteChanged(pace, at(20_000));
    expect(dueAt(pace, false) - 20_000).toBe(20_000);
  });

  it('is at once again after a quiet while', () => {
    const pace = pushedAt(0, 2000, 4000, 6000);
    noteChanged(pace, at(8000));
    expect(dueAt(pace, false)).toBeGreaterThan(8000);
    notePushed(pace, 200_000);
    noteChanged(pace, at(201_000));
    expect(dueAt(pace, false)).toBe(0);
  });
});
