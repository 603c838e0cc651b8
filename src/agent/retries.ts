// When a peer that was lost is compared with again (docs/PROTOCOL.md, "Addresses"). Rule: one look waits for each peer, however many repositories lost their
// offers with the link; each peer backs off by itself, and begins anew once it has been steady.

import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { DeviceId } from '../lib/names.ts';

const RETRY = { baseMs: 500, capMs: 60_000 };
/** After so long without a loss the next one is the first again. */
const STEADY_MS = 60_000;

interface Lost {
  readonly backoff: Backoff;
  at: number;
  timer: Timer | undefined;
}

export interface RetriesParts {
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly contact: (device: DeviceId) => void;
}

/** One per agent. */
export class Retries {
  readonly #parts: RetriesParts;
  readonly #lost = new Map<DeviceId, Lost>();

  constructor(parts: RetriesParts) {
    this.#parts = parts;
  }

  /** Contacts a peer after a while, unless that is to happen already. */
  plan(device: DeviceId): void {
    const { clock, chance, contact } = this.#parts;
    const lost = this.#lost.get(device) ?? { backoff: new Backoff(RETRY), at: clock.now(), timer: undefined };
    this.#lost.set(device, lost);
    if (lost.timer !== undefined) return;
    if (Math.abs(clock.now() - lost.at) > STEADY_MS) lost.backoff.succeed();
    lost.at = clock.now();
    lost.timer = clock.setTimer(lost.backoff.fail(chance()), () => {
      lost.timer = undefined;
      contact(device);
    });
  }
}
