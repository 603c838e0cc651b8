import { describe, expect, it } from 'vitest';
import { DueTimer } from '../../../src/link/due-timer.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

describe('DueTimer', () => {
  function start(): { readonly clock: VirtualClock; readonly timer: DueTimer; readonly calls: number[]; readonly set: (at: number | undefined) => void } {
    const clock = new VirtualClock();
    const began = clock.now();
    const calls: number[] = [];
    const timer = new DueTimer(clock, () => calls.push(clock.now() - began));
    return { clock, timer, calls, set: (at) => timer.set(at, clock.now() - began) };
  }

  it('comes at the earliest of the times that were set, and once', () => {
    const { clock, calls, set } = start();
    set(100);
    set(50);
    set(80);
    clock.advance(200);
    expect(calls).toEqual([50]);
  });

  it('is set anew by whoever it called', () => {
    const { clock, calls, set } = start();
    set(50);
    clock.advance(60);
    set(100);
    clock.advance(100);
    expect(calls).toEqual([50, 100]);
  });

  it('comes no more where nothing is due', () => {
    const { clock, calls, set } = start();
    set(50);
    set(undefined);
    clock.advance(200);
    expect(calls).toEqual([]);
    set(300);
    clock.advance(200);
    expect(calls).toEqual([300]);
  });

  it('comes at once for what is overdue', () => {
    const { clock, calls, set } = start();
    clock.advance(100);
    set(50);
    clock.advance(1);
    expect(calls).toEqual([100]);
  });
});
