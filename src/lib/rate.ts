// How fast bytes have been moving lately. Rule: one number that forgets by time, so that it costs nothing to keep and is 0 soon after the last byte.

/** What was moved so long ago counts for a third. */
const MEMORY_MS = 2000;

/** Counts bytes as they move. */
export class RateMeter {
  #bytes = 0;
  #at = 0;

  /** `count` bytes have moved. Time never runs backwards. */
  add(count: number, now: number): void {
    this.#bytes = this.#faded(now) + count;
    this.#at = now;
  }

  /** Bytes a second, averaged over the last few seconds. */
  read(now: number): number {
    return Math.round((this.#faded(now) / MEMORY_MS) * 1000);
  }

  #faded(now: number): number {
    return this.#bytes * Math.exp(-Math.max(0, now - this.#at) / MEMORY_MS);
  }
}
