// A clock that moves only when a spec moves it. Rule: timers fire in the order they are due, each at its own time.

import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Waiting {
  readonly due: number;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  readonly #waiting = new Set<Waiting>();

  /** @param start milliseconds since 1970 */
  constructor(start = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): Timer {
    const waiting = { due: this.#now + Math.max(0, ms), fire };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** Milliseconds until the next timer is due; undefined when none is set. */
  get untilNext(): number | undefined {
    const next = this.#next(Infinity);
    return next === undefined ? undefined : next.due - this.#now;
  }

  /** Lets `ms` pass at once: every timer that falls due fires, also one that another has just set. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) this.#fire(next);
    this.#now = end;
  }

  /** As `advance`, but lets promises settle before, between and after the timers. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#fire(next);
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.due <= end && (first === undefined || waiting.due < first.due)) first = waiting;
    }
    return first;
  }

  #fire(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#now = Math.max(this.#now, waiting.due);
    waiting.fire();
  }
}

/** Resolves when the promises that are ready now have run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
