// When a lost peer is looked for again. Rule: once for all repositories, and each peer by its own patience.

import { describe, expect, it } from 'vitest';
import { Retries } from '../../../src/agent/retries.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const laptop = makePeer('laptop').device;
const phone = makePeer('phone').device;

describe('a peer that was lost', () => {
  it('is contacted once, however many offers were lost with it', () => {
    const { clock, contacted, retries } = make();
    for (let count = 0; count < 100; count += 1) retries.plan(laptop);
    clock.advance(120_000);
    expect(contacted).toEqual([laptop]);
  });

  it('is waited for longer each time, whatever becomes of others', () => {
    const { clock, contacted, retries } = make();
    for (let count = 0; count < 6; count += 1) {
      retries.plan(laptop);
      clock.advance(30_000);
    }
    const before = contacted.length;
    retries.plan(phone);
    retries.plan(laptop);
    clock.advance(1_000);
    expect(contacted.slice(before)).toEqual([phone]);
  });
});

function make(): { clock: VirtualClock; contacted: DeviceId[]; retries: Retries } {
  const clock = new VirtualClock();
  const contacted: DeviceId[] = [];
  return { clock, contacted, retries: new Retries({ clock, chance: () => 0.5, contact: (device) => void contacted.push(device) }) };
}
