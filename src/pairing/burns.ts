// How often codes were burnt lately.
// Rule: after three in ten minutes no new code is shown for a while, so that guessing stays hopeless.

import { Fault } from '../lib/errors.ts';

/** Burnt codes after which one waits. */
export const MAX_BURNS = 3;
/** Time over which they are counted, in milliseconds. */
export const BURN_WINDOW_MS = 600_000;

/** Counts burnt codes of one account on this device. */
export class Burns {
  #times: readonly number[] = [];

  /** Notes that a code was burnt. @param now milliseconds since 1970 */
  record(now: number): void {
    this.#times = [...this.#times, now].slice(-MAX_BURNS);
  }

  /** Milliseconds until a new code may be shown; 0 when it may at once. */
  waitMs(now: number): number {
    const oldest = this.#times[this.#times.length - MAX_BURNS];
    if (oldest === undefined) return 0;
    // A clock that was set back must not make anybody wait longer than the window.
    return Math.min(BURN_WINDOW_MS, Math.max(0, oldest + BURN_WINDOW_MS - now));
  }

  /** @throws Fault `throttled` while one has to wait */
  check(now: number): void {
    const ms = this.waitMs(now);
    if (ms === 0) return;
    const minutes = Math.ceil(ms / 60_000);
    throw new Fault('throttled', `${MAX_BURNS} codes were burnt within ten minutes: somebody may be guessing`, {
      remedy: `wait ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}, or run "git xmpp pair --invite"`,
    });
  }
}
