// Both halves of a body that leaves its link for a lane; schedules at random are in test/property/lanes.spec.ts.

import { describe, expect, it } from 'vitest';
import { LaneReceiver, LaneSender } from '../../../src/link/lane-machine.ts';
import { ReplayBudget } from '../../../src/pipe/replay-budget.ts';
import { REPLAY_FLOOR } from '../../../src/pipe/replay.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('LaneSender', () => {
  it('gives back to the link what the other end lacks, from the middle of a part', () => {
    const budget = new ReplayBudget(100);
    const sender = new LaneSender({ budget });
    sender.passed(5);
    expect(sender.begin()).toBe(5);
    sender.keep(bytes(1, 2, 3));
    sender.keep(bytes(4, 5, 6));
    sender.acknowledge(9);
    expect([sender.owed, sender.end, budget.freeBytes]).toEqual([2, 11, 97]);
    expect(sender.resume(10).map((part) => [...part])).toEqual([[6]]);
    sender.written(1);
    expect([sender.owed, budget.freeBytes]).toEqual([0, 100]);
  });

  it('gives all of it back where the other end never heard of the lane', () => {
    const sender = new LaneSender();
    sender.begin();
    sender.keep(bytes(1, 2));
    expect(sender.resume(undefined).map((part) => [...part])).toEqual([[1, 2]]);
  });

  it('owes nothing of what goes over the link', () => {
    const sender = new LaneSender();
    sender.passed(7);
    expect([sender.owed, sender.end]).toEqual([0, 7]);
  });

  it.each([-1, 4, 12])('takes no acknowledgement of %i', (offset) => {
    const sender = new LaneSender();
    sender.passed(5);
    sender.begin();
    sender.keep(bytes(1, 2, 3, 4, 5, 6));
    expect(() => sender.acknowledge(offset)).toThrow('acknowledgement');
    expect(() => sender.resume(offset)).toThrow('acknowledgement');
    expect(sender.owed).toBe(6);
  });

  it('keeps a little whatever the budget says, and no more than its own bound', () => {
    const budget = new ReplayBudget(0);
    const sender = new LaneSender({ maxBytes: 2 * REPLAY_FLOOR, budget });
    sender.begin();
    sender.keep(new Uint8Array(REPLAY_FLOOR - 1));
    expect(sender.hasRoom).toBe(true);
    sender.keep(new Uint8Array(1));
    expect(sender.hasRoom).toBe(false);
    budget.release(3 * REPLAY_FLOOR);
    expect(sender.hasRoom).toBe(true);
    sender.keep(new Uint8Array(REPLAY_FLOOR));
    expect(sender.hasRoom).toBe(false);
    sender.clear();
    expect([sender.owed, sender.hasRoom]).toEqual([0, true]);
  });
});

describe('LaneReceiver', () => {
  it('takes the lane at its turn, when the link has brought what comes before', () => {
    const receiver = new LaneReceiver();
    receiver.fromLink(3);
    receiver.begins(5);
    expect(receiver.isLanesTurn).toBe(false);
    expect(() => receiver.fromLane(1)).toThrow('not at its turn');
    receiver.fromLink(2);
    expect(receiver.isLanesTurn).toBe(true);
    receiver.fromLane(4);
    expect(receiver.received).toBe(9);
    expect(receiver.lost()).toBe(9);
    receiver.fromLink(1);
    expect(receiver.received).toBe(10);
  });

  it('goes on over the link from where the lane would have begun, when that is lost before its turn', () => {
    const receiver = new LaneReceiver();
    receiver.begins(5);
    expect(receiver.lost()).toBe(5);
    receiver.fromLink(5);
    expect([receiver.received, receiver.lost()]).toEqual([5, undefined]);
  });

  it('refuses a lane that begins twice, or with bytes that have come', () => {
    const receiver = new LaneReceiver();
    receiver.fromLink(3);
    expect(() => receiver.begins(2)).toThrow('have come already');
    receiver.begins(3);
    expect(() => receiver.begins(3)).toThrow('begins twice');
  });

  it('refuses bytes of the link where its lane goes on', () => {
    const receiver = new LaneReceiver();
    receiver.begins(2);
    receiver.fromLink(2);
    expect(() => receiver.fromLink(1)).toThrow('where its lane goes on');
  });
});
