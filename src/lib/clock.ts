// Time, as a value that is handed in. Rule: nothing above this file calls Date.now or setTimeout itself.

/** A timer that has been set and may be taken back. */
export interface Timer {
  cancel(): void;
}

/** Wall-clock time in milliseconds since 1970, and timers that fire once. */
export interface Clock {
  now(): number;
  /** Calls `fire` once after `ms`; the timer alone never keeps the process alive. */
  setTimer(ms: number, fire: () => void): Timer;
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  setTimer(ms, fire) {
    const handle = setTimeout(fire, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Settles as `work` does, or rejects with `late()` when `ms` pass first.
 * The work itself is not stopped: the caller owns what it started.
 */
export function withDeadline<T>(work: Promise<T>, ms: number, clock: Clock, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => reject(late()));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Resolves after `ms`. */
export function delay(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}

/** Resolves after `ms` of the machine's clock; unlike `delay`, keeps the process alive meanwhile. */
export function nap(ms: number): Promise<void> {
  const alive = setInterval(() => undefined, 1_000_000);
  return delay(ms, realClock).finally(() => clearInterval(alive));
}

/** The time of `clock`, which here never runs backwards, whatever is done to the wall clock. */
export function steadyNow(clock: Clock): () => number {
  let last = clock.now();
  let stepped = 0;
  return () => {
    const wall = clock.now();
    stepped += Math.max(0, last - wall);
    last = wall;
    return wall + stepped;
  };
}
