// The window on unacknowledged bytes.

import { describe, expect, it } from 'vitest';
import { REPLAY_FLOOR, Replay } from '../../../src/pipe/replay.ts';
import { ReplayBudget } from '../../../src/pipe/replay-budget.ts';

const make = (maxBytes = 100, firstOffset = 0): Replay => new Replay({ maxBytes, firstOffset });

describe('Replay', () => {
  it('takes what there is room for and leaves the rest to the writer', () => {
    const replay = make(10);
    expect(replay.append(new Uint8Array(7))).toBe(7);
    expect(replay.append(new Uint8Array(7))).toBe(3);
    expect(replay.roomBytes).toBe(0);
  });

  it('keeps its own copy', () => {
    const replay = make();
    const bytes = Uint8Array.of(1, 2, 3);
    replay.append(bytes);
    bytes.fill(0);
    expect([...replay.take(3)]).toEqual([1, 2, 3]);
  });

  it('gives each byte once until it is rewound', () => {
    const replay = make();
    replay.append(Uint8Array.of(1, 2, 3, 4));
    expect([...replay.take(3)]).toEqual([1, 2, 3]);
    expect([...replay.take(3)]).toEqual([4]);
    expect(replay.again).toBe(0);
    expect(replay.rewind(1)).toBe(true);
    expect([...replay.take(9)]).toEqual([2, 3, 4]);
    expect(replay.again).toBe(3);
  });

  it('refuses an acknowledgement beyond what was sent, though it was written', () => {
    const replay = make();
    replay.append(Uint8Array.of(1, 2, 3, 4));
    replay.take(2);
    expect(() => replay.acknowledge(3)).toThrow('beyond what was sent');
    expect(replay.acknowledge(2)).toBe(true);
    expect(replay.acknowledge(2)).toBe(false);
  });

  it('refuses an offset below what was discarded', () => {
    const replay = make();
    replay.append(Uint8Array.of(1, 2, 3, 4));
    replay.take(4);
    replay.acknowledge(3);
    expect(() => replay.acknowledge(2)).toThrow('goes back');
    expect(() => replay.rewind(2)).toThrow('goes back');
  });

  it('counts on beyond 2^32', () => {
    const replay = make(100_000, 2 ** 32 - 30_000);
    replay.append(new Uint8Array(29_999));
    replay.append(Uint8Array.of(1, 2, 3));
    replay.take(29_999);
    expect([...replay.take(3)]).toEqual([1, 2, 3]);
    expect(replay.sent).toBe(2 ** 32 + 2);
    replay.rewind(2 ** 32);
    expect([...replay.take(9)]).toEqual([2, 3]);
  });

  it('waits on the shared budget above its floor, and gives back what it held', () => {
    const budget = new ReplayBudget(100_000);
    const share = (): Replay => new Replay({ maxBytes: 1_000_000, budget, firstOffset: 0 });
    const [one, two] = [share(), share()];
    expect(one.append(new Uint8Array(200_000))).toBe(100_000);
    expect(two.append(new Uint8Array(200_000))).toBe(REPLAY_FLOOR);
    expect(two.roomBytes).toBe(0);
    expect(budget.freeBytes).toBe(-REPLAY_FLOOR);
    one.clear();
    expect(two.roomBytes).toBe(100_000 - REPLAY_FLOOR);
    two.clear();
    expect(budget.freeBytes).toBe(100_000);
  });

  it('hands out copies: what goes out stays as it was when its place is used again', () => {
    const replay = new Replay({ maxBytes: 1 << 20, firstOffset: 0 });
    replay.append(new Uint8Array(40_000).fill(1));
    const out = replay.take(16_384);
    replay.acknowledge(16_384);
    replay.append(new Uint8Array(40_000).fill(2));
    expect(out.every((byte) => byte === 1)).toBe(true);
    expect([...new Set(replay.take(23_616))]).toEqual([1]);
    expect([...new Set(replay.take(40_000))]).toEqual([2]);
  });
});
