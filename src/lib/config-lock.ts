// Writing a configuration file that somebody else may be writing too (git-config(1)). Rule: git does not wait for `config.lock`, so we do,
// for a bounded time; a lock that stays is named by git's own words.

import { Backoff } from './backoff.ts';
import { delay, realClock } from './clock.ts';
import type { Clock } from './clock.ts';

/** Exit code of `git config` when it cannot take the lock (git-config(1)). */
export const CONFIG_LOCKED = 255;
/** Writing takes git a few milliseconds; a lock that lives longer than this belongs to nobody. */
const PATIENCE_MS = 3000;

/**
 * Makes `attempt` until it no longer ends with `CONFIG_LOCKED`, for three seconds at most.
 * @param random from 0 up to 1
 * @returns what the last attempt gave
 */
export async function pastConfigLock<T extends { readonly exitCode: number }>(
  attempt: () => Promise<T>,
  { clock = realClock, random = Math.random }: { readonly clock?: Clock; readonly random?: () => number } = {},
): Promise<T> {
  const backoff = new Backoff({ baseMs: 10, capMs: 250 });
  const until = clock.now() + PATIENCE_MS;
  let result = await attempt();
  while (result.exitCode === CONFIG_LOCKED && clock.now() < until) {
    await delay(backoff.fail(random()), clock);
    result = await attempt();
  }
  return result;
}
