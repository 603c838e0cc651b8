// How many pushes of one device git takes in at a time. Rule: first come, first served, and those that wait are few: what a push makes git hold in memory
// is bounded for each, so their number has to be, too.

import { Fault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';

/** A person's push that takes an hour must not hold up small news. */
export const MAX_AT_ONCE = 2;
/** A link has sixteen requests at a time; more can only be some that were given up. */
export const MAX_WAITING = 32;

interface Line {
  taken: number;
  readonly waiting: (() => void)[];
}

export class Turns {
  readonly #lines = new Map<DeviceId, Line>();

  /** @returns once its turn has come, what ends it. @throws Fault `throttled` when too many wait */
  async wait(device: DeviceId): Promise<() => void> {
    const line = this.#lines.get(device) ?? { taken: 0, waiting: [] };
    this.#lines.set(device, line);
    if (line.taken < MAX_AT_ONCE) line.taken += 1;
    else if (line.waiting.length >= MAX_WAITING) throw new Fault('throttled', 'too many pushes of this device wait there');
    else await new Promise<void>((resolve) => line.waiting.push(resolve));
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#next(device, line);
    };
  }

  #next(device: DeviceId, line: Line): void {
    const next = line.waiting.shift();
    if (next !== undefined) return next();
    line.taken -= 1;
    if (line.taken === 0) this.#lines.delete(device);
  }
}
