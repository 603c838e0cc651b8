// Which announcements lead to a comparison (docs/PROTOCOL.md, "Announcements"). Rule: pure; the same news twice, or older news, does nothing, and however
// many a peer sends, they cost one comparison in a while.

import type { DeviceId, RepoId } from '../lib/names.ts';

/** Between two comparisons that a peer's announcements lead to, in milliseconds. */
export const GAP_MS = 5_000;

/** Remembers what was announced by whom. Times are in ms. */
export class AnnouncementsMachine {
  /** The highest counter that a comparison was made for, or will be, by peer and repository: both are known here, so they are few. */
  readonly #seen = new Map<string, number>();
  readonly #comparedAt = new Map<DeviceId, number>();
  readonly #waiting = new Set<DeviceId>();

  /** @returns in how many milliseconds `due` is to be called, or undefined when there is nothing to do */
  hear(said: { readonly peer: DeviceId; readonly repo: RepoId; readonly counter: number }, now: number): number | undefined {
    const key = `${said.peer} ${said.repo}`;
    if (said.counter <= (this.#seen.get(key) ?? 0)) return undefined;
    this.#seen.set(key, said.counter);
    if (this.#waiting.has(said.peer)) return undefined;
    this.#waiting.add(said.peer);
    const since = now - (this.#comparedAt.get(said.peer) ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back holds nobody up.
    return since < 0 ? 0 : Math.max(0, GAP_MS - since);
  }

  /** The comparison is made now, of all that was announced. */
  due(peer: DeviceId, now: number): void {
    this.#waiting.delete(peer);
    this.#comparedAt.set(peer, now);
  }
}
