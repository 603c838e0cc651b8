// Several ways to one end, tried one after another without waiting long for any (as RFC 8305 §5 does with addresses).
// Rule: the first that succeeds is the one; the others are stopped, and what they still come up with is given back.

import type { Clock, Timer } from '../lib/clock.ts';

export interface FirstOfOptions<T> {
  readonly clock: Clock;
  /** Time from one start to the next, in milliseconds; a way that fails lets the next one start at once. */
  readonly staggerMs: number;
  /** Takes back what came after it was decided. */
  readonly discard: (late: T) => void;
  readonly signal: AbortSignal;
}

/** A way to try; stops when its signal says so. */
export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

/**
 * What the first attempt to succeed gives.
 * @param attempts best first
 * @returns undefined when all have failed, or `signal` says to stop
 */
export function firstOf<T>(attempts: readonly Attempt<T>[], options: FirstOfOptions<T>): Promise<T | undefined> {
  const { clock, staggerMs, discard, signal } = options;
  const stop = new AbortController();
  let timer: Timer | undefined;
  let [started, failed] = [0, 0];
  let isDecided = false;
  return new Promise((resolve) => {
    const decide = (result: T | undefined): void => {
      isDecided = true;
      timer?.cancel();
      signal.removeEventListener('abort', give);
      stop.abort(signal.reason);
      resolve(result);
    };
    const give = (): void => decide(undefined);
    const next = (): void => {
      timer?.cancel();
      const attempt = attempts[started];
      if (isDecided || attempt === undefined) return;
      started += 1;
      if (started < attempts.length) timer = clock.setTimer(staggerMs, next);
      attempt(stop.signal).then(
        (result) => (isDecided ? discard(result) : decide(result)),
        () => {
          failed += 1;
          if (!isDecided && failed === attempts.length) decide(undefined);
          else next();
        },
      );
    };
    if (attempts.length === 0 || signal.aborted) return resolve(undefined);
    signal.addEventListener('abort', give, { once: true });
    next();
  });
}
