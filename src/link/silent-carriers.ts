// Carriers that have not said yet which pipe they are for. Rule: of each account few, and none for long: each is a socket, or a stream at the
// server, that nobody uses.

import type { Clock } from '../lib/clock.ts';
import { bareOf } from '../lib/jid.ts';
import type { Carrier } from '../carriers/carrier.ts';

/** Of one account at once. */
const MAX_PER_ACCOUNT = 16;

/** All that one device was handed. */
export class SilentCarriers {
  readonly #clock: Clock;
  readonly #carriers = new Set<Carrier>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Closes `carrier` after `ms`, or at once where its account has too many.
   * @returns to be called when it has spoken, or ended; undefined when it was closed
   */
  wait(carrier: Carrier, ms: number): (() => void) | undefined {
    const account = bareOf(carrier.peer);
    if ([...this.#carriers].filter(({ peer }) => bareOf(peer) === account).length >= MAX_PER_ACCOUNT) return void carrier.close();
    this.#carriers.add(carrier);
    const timer = this.#clock.setTimer(ms, () => {
      this.#carriers.delete(carrier);
      void carrier.close();
    });
    return () => {
      timer.cancel();
      this.#carriers.delete(carrier);
    };
  }
}
