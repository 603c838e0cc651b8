// One timer for something that falls due at ever other times. Rule: it never comes late; it may come early, and whoever is called then finds
// nothing due and sets it anew, which is cheaper than a new timer for each piece of a fast transfer.

import type { Clock, Timer } from '../lib/clock.ts';

/** Calls `due` by the time that was set last. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #due: () => void;
  #timer: Timer | undefined;
  #at: number | undefined;

  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** @param at in the time of `now`, milliseconds; undefined for nothing, and then no timer stays behind */
  set(at: number | undefined, now: number): void {
    if (at !== undefined && this.#at !== undefined && this.#at <= at) return;
    this.#timer?.cancel();
    this.#at = at;
    if (at === undefined) return;
    this.#timer = this.#clock.setTimer(Math.max(0, at - now), () => {
      this.#at = undefined;
      this.#due();
    });
  }
}
