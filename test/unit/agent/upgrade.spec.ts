// Going over to a newer program, in virtual time.

import { describe, expect, it } from 'vitest';
import { UpgradeWatch } from '../../../src/agent/upgrade.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

interface World {
  readonly watch: UpgradeWatch;
  readonly clock: VirtualClock;
  file: string | undefined;
  isBusy: boolean;
  upgrades: number;
  /** Lets time pass, and what waits for a look take its turn. */
  pass(ms: number): Promise<void>;
}

async function start(mayEnd = true): Promise<World> {
  const clock = new VirtualClock();
  const world: World = {
    clock,
    file: 'old',
    isBusy: false,
    upgrades: 0,
    watch: new UpgradeWatch({ look: async () => world.file, mayEnd, isBusy: () => world.isBusy, onUpgrade: () => (world.upgrades += 1), clock }),
    async pass(ms) {
      for (let left = ms; left > 0; left -= 500) {
        clock.advance(Math.min(500, left));
        await new Promise(setImmediate);
      }
    },
  };
  await world.watch.start();
  return world;
}

describe('the watch of the program', () => {
  it('goes over to another file, once', async () => {
    const world = await start();
    await world.pass(120_000);
    expect(world.upgrades).toBe(0);
    world.file = 'new';
    await world.pass(40_000);
    expect(world.upgrades).toBe(1);
    world.file = 'newer';
    await world.pass(120_000);
    expect(world.upgrades).toBe(1);
    expect(world.clock.timers).toBe(0);
  });

  it('waits while a package manager is at it: no file, or one that still changes', async () => {
    const world = await start();
    world.file = undefined;
    await world.pass(90_000);
    world.file = 'half';
    // A look comes every 30 s, and the second one 3 s later.
    await world.pass(31_000);
    world.file = 'whole';
    await world.pass(2_500);
    expect(world.upgrades).toBe(0);
    await world.pass(3_500);
    expect(world.upgrades).toBe(1);
  });

  it('stays when the old file comes back', async () => {
    const world = await start();
    world.file = 'new';
    await world.pass(30_500);
    world.file = 'old';
    await world.pass(120_000);
    expect(world.upgrades).toBe(0);
  });

  it('cuts off nothing that is moving, for an hour', async () => {
    const world = await start();
    world.isBusy = true;
    world.file = 'new';
    await world.pass(30 * 60_000);
    expect(world.upgrades).toBe(0);
    world.isBusy = false;
    await world.pass(2_500);
    expect(world.upgrades).toBe(1);

    const endless = await start();
    endless.isBusy = true;
    endless.file = 'new';
    await endless.pass(62 * 60_000);
    expect(endless.upgrades).toBe(1);
  });

  it('answers a command of another version, and goes over at once when nothing is moving', async () => {
    const world = await start();
    expect(await world.watch.ask()).toBe('same');
    world.file = 'new';
    world.isBusy = true;
    expect(await world.watch.ask()).toBe('busy');
    world.isBusy = false;
    expect(await world.watch.ask()).toBe('now');
    expect(world.upgrades).toBe(0);
    await world.pass(1);
    expect(world.upgrades).toBe(1);
  });

  it('only tells where this process is not to end, busy or not', async () => {
    const world = await start(false);
    world.file = 'new';
    world.isBusy = true;
    expect(await world.watch.ask()).toBe('same');
    await world.pass(40_000);
    expect(world.upgrades).toBe(1);
  });
});
