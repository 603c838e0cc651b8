import { describe, expect, it } from 'vitest';
import { SteadyTime } from '../../../src/link/steady-time.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

function setUp(): { time: SteadyTime; set: (wall: number) => number } {
  let wall = 1_700_000_000_000;
  const start = wall;
  const time = new SteadyTime({ now: () => wall, setTimer: () => ({ cancel: () => undefined }) });
  return { time, set: (at) => ((wall = start + at), time.now()) };
}

describe('SteadyTime', () => {
  it('goes on as the clock does while nothing is due', () => {
    const { time, set } = setUp();
    expect([time.now(), set(5), set(7_200_005)]).toEqual([0, 5, 7_200_005]);
  });

  it('stands still while a clock is set back, and goes on from there', () => {
    const { set } = setUp();
    expect([set(10_000), set(-3_600_000), set(-3_599_000), set(-3_599_500)]).toEqual([10_000, 10_000, 11_000, 11_000]);
  });

  it('counts no more of sleep than what was due and a little lateness', () => {
    const { time, set } = setUp();
    time.dueAt = 8_000;
    expect([set(3_000), set(3_600_000), set(3_601_000)]).toEqual([3_000, 18_000, 19_000]);
  });

  it('is not led ahead by a clock that goes back and forth by an hour', () => {
    const { time, set } = setUp();
    time.dueAt = 60_000;
    set(1_000);
    for (let step = 0; step < 3; step += 1) {
      set(-3_600_000);
      set(1_000 + step);
    }
    expect(time.now()).toBeLessThan(60_000 + 4 * 10_000);
  });

  it('passes every due moment of a clock that runs on', () => {
    const clock = new VirtualClock();
    const time = new SteadyTime(clock);
    time.dueAt = 3_600_000;
    clock.advance(3_600_000);
    expect(time.now()).toBe(3_600_000);
  });
});
