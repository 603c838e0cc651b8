// Offers of one device's map, which all write into the same corner. Rule: they are taken in one after another; one that has waited long enough goes on beside the
// other, and then neither git knows of the other: whichever fails may have been right, and is made again.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';

/** One offer that is under way. */
export interface Crossing {
  /** Whether another offer of that device was under way at any moment of this one. */
  readonly hasMet: boolean;
  /** Nothing of it is left to be done. */
  end(): void;
}

/** A large push, or one whose sender has gone, keeps nobody for longer. */
const PATIENCE_MS = 5_000;

interface Open extends Crossing {
  hasMet: boolean;
  readonly ended: Promise<void>;
}

/** One per agent. */
export class Crossings {
  readonly #clock: Clock;
  readonly #open = new Map<string, Set<Open>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the offer may begin. */
  async begin(repo: RepoId, device: DeviceId): Promise<Crossing> {
    const corner = `${repo} ${device}`;
    let wake: (word: 'late') => void = () => undefined;
    const late = new Promise<'late'>((resolve) => (wake = resolve));
    const timer = this.#clock.setTimer(PATIENCE_MS, () => wake('late'));
    for (let others = this.#open.get(corner); others !== undefined; others = this.#open.get(corner)) {
      if ((await Promise.race([late, ...[...others].map(({ ended }) => ended)])) === 'late') break;
    }
    timer.cancel();
    return this.#add(corner);
  }

  #add(corner: string): Crossing {
    const others = this.#open.get(corner) ?? new Set();
    this.#open.set(corner, others);
    for (const other of others) other.hasMet = true;
    let tell: () => void = () => undefined;
    const own: Open = {
      hasMet: others.size > 0,
      ended: new Promise((resolve) => (tell = resolve)),
      end: () => {
        others.delete(own);
        if (others.size === 0 && this.#open.get(corner) === others) this.#open.delete(corner);
        tell();
      },
    };
    others.add(own);
    return own;
  }
}
