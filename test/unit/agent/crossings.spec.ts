import { describe, expect, it } from 'vitest';
import { Crossings } from '../../../src/agent/crossings.ts';
import type { Crossing } from '../../../src/agent/crossings.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const [NOTES, SONGS] = [makeSharedRepo('notes').id, makeSharedRepo('songs').id];
const [LAPTOP, DESKTOP] = [makePeer('laptop').device, makePeer('desktop').device];

function setUp() {
  const clock = new VirtualClock();
  const crossings = new Crossings(clock);
  const begun: Crossing[] = [];
  const begin = (): void => void crossings.begin(NOTES, LAPTOP).then((crossing) => begun.push(crossing));
  return { clock, crossings, begun, begin };
}

describe('offers of one device', () => {
  it('are taken in one after another, and have not met then', async () => {
    const { clock, begun, begin } = setUp();
    for (let count = 0; count < 3; count += 1) begin();
    await clock.pass(1_000);
    for (const expected of [1, 2, 3]) {
      expect(begun).toHaveLength(expected);
      begun.at(-1)?.end();
      await clock.pass(0);
    }
    expect(begun.map(({ hasMet }) => hasMet)).toEqual([false, false, false]);
    expect(clock.timers).toBe(0);
  });

  it('wait five seconds at most, and have met one another from then on, whichever ends first', async () => {
    const { clock, begun, begin } = setUp();
    begin();
    begin();
    await clock.pass(4_999);
    expect(begun.map(({ hasMet }) => hasMet)).toEqual([false]);
    await clock.pass(1);
    expect(begun.map(({ hasMet }) => hasMet)).toEqual([true, true]);
    begun[0]?.end();
    expect(begun.map(({ hasMet }) => hasMet)).toEqual([true, true]);
  });

  it('may be ended twice', async () => {
    const { clock, begun, begin } = setUp();
    begin();
    await clock.pass(0);
    begun[0]?.end();
    begin();
    await clock.pass(0);
    begun[0]?.end();
    begin();
    await clock.pass(1_000);
    expect(begun).toHaveLength(2);
  });
});

describe('offers of other devices, or in other repositories', () => {
  it('do not wait for one another', async () => {
    const { crossings } = setUp();
    const all = await Promise.all([crossings.begin(NOTES, LAPTOP), crossings.begin(NOTES, DESKTOP), crossings.begin(SONGS, LAPTOP)]);
    expect(all.map(({ hasMet }) => hasMet)).toEqual([false, false, false]);
  });
});
