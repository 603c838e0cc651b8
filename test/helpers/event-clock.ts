// A clock that stands still until a spec lets time pass. Rule: time moves only when all work of the present moment is done.

import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Due {
  readonly at: number;
  readonly fire: () => void;
}

/** Time that passes from timer to timer. */
export class EventClock implements Clock {
  #now = 1_000_000;
  #timers: Due[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): Timer {
    const due: Due = { at: this.#now + Math.max(0, ms), fire };
    this.#timers.push(due);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((timer) => timer !== due);
      },
    };
  }

  /** Lets time pass until `isDone`; fails when nothing is left that could make it so. */
  async runUntil(isDone: () => boolean): Promise<void> {
    for (;;) {
      await settle();
      if (isDone()) return;
      const at = Math.min(...this.#timers.map((timer) => timer.at));
      if (at === Infinity) throw new Error('nothing is left to happen');
      this.#fireUpTo(at);
    }
  }

  /** Lets exactly `ms` pass. */
  async advance(ms: number): Promise<void> {
    let isOver = false;
    this.setTimer(ms, () => {
      isOver = true;
    });
    await this.runUntil(() => isOver);
  }

  /** Lets time pass until `work` settles, and settles as it does. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    work.then(mark, mark);
    await this.runUntil(() => isSettled);
    return work;
  }

  #fireUpTo(at: number): void {
    this.#now = at;
    const due = this.#timers.filter((timer) => timer.at <= at);
    this.#timers = this.#timers.filter((timer) => timer.at > at);
    for (const timer of due) timer.fire();
  }
}

/** Resolves when promises and immediates that are under way have had their turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
