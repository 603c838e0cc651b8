// How many pushes of one device git takes in at a time. Rule: first come, first served, and those that wait are few: what a push makes git hold in memory
// is bounded for each, so their number has to be, too.

import { Fault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';
import { Turns } from '../lib/turns.ts';
import type { GiveBack } from '../lib/turns.ts';

/** A person's push that takes an hour must not hold up small news. */
export const MAX_AT_ONCE = 2;
/** A link has sixteen requests at a time; more can only be some that were given up. */
export const MAX_WAITING = 32;

/** The turns of each device that is paired. */
export class DeviceTurns {
  readonly #turns = new Map<DeviceId, Turns>();

  /** @returns once its turn has come, what ends it. @throws Fault `throttled` when too many wait */
  async wait(device: DeviceId): Promise<GiveBack> {
    const turns = this.#turns.get(device) ?? new Turns(MAX_AT_ONCE);
    this.#turns.set(device, turns);
    if (turns.waiting >= MAX_WAITING) throw new Fault('throttled', 'too many pushes of this device wait there');
    return turns.take();
  }
}
