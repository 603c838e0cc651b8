// A token bucket: how many bytes may go out now, when a rate must not be exceeded. Rule: over any stretch of t seconds never more than
// rate × t and one burst; who waits stands in line, so that whoever waits gets on.

/** A quarter of a second may go out in one go. */
const BURST_S = 0.25;
/** A block of the default size must fit, or it would never go in one piece; less is not worth a stanza, so it is waited for. */
export const LEAST_BYTES = 4096;
/** A place in line is lost when its holder does not come so many milliseconds after it could: its carrier has ended, perhaps. */
const ABSENT_MS = 1000;

/** Who takes: any object that is the same each time. */
export type Taker = object;

/** One limit, shared by all that it is the limit of. */
export class Bucket {
  /** Bytes a second. */
  readonly rate: number;
  /** Bytes that may go out at once after a pause. */
  readonly burst: number;
  readonly #line = new Map<Taker, number>();
  #tokens: number;
  #at: number;

  /** @param now milliseconds; all times must be of one clock, which may be set back */
  constructor(rate: number, now: number) {
    this.rate = rate;
    this.burst = Math.max(LEAST_BYTES, Math.floor(rate * BURST_S));
    this.#tokens = this.burst;
    this.#at = now;
  }

  /** Whole bytes that `taker` may take now, of `max`: 0 while there are too few, or it is another one's turn. */
  room(taker: Taker, max: number, now: number): number {
    this.#fill(now);
    if (this.#ahead(taker) > 0 || this.#tokens < Math.min(max, LEAST_BYTES)) return 0;
    return Math.min(max, Math.floor(this.#tokens));
  }

  /** Counts bytes that went out, no more than there was room for. */
  take(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** Puts `taker` in line, where it keeps its place. @returns milliseconds until it is worth to ask again */
  wait(taker: Taker, max: number, now: number): number {
    this.#fill(now);
    const missing = Math.min(max, LEAST_BYTES) + this.#ahead(taker) * LEAST_BYTES - this.#tokens;
    const waitMs = Math.max(1, Math.ceil((missing / this.rate) * 1000));
    this.#line.set(taker, now + waitMs + ABSENT_MS);
    return waitMs;
  }

  /** `taker` waits no more. */
  leave(taker: Taker): void {
    this.#line.delete(taker);
  }

  #ahead(taker: Taker): number {
    let count = 0;
    for (const one of this.#line.keys()) {
      if (one === taker) break;
      count += 1;
    }
    return count;
  }

  #fill(now: number): void {
    const passed = Math.max(0, now - this.#at);
    if (now < this.#at) this.#line.clear();
    this.#at = now;
    this.#tokens = Math.min(this.burst, this.#tokens + (passed / 1000) * this.rate);
    for (const [taker, until] of this.#line) if (until < now) this.#line.delete(taker);
  }
}

/** What `taker` may take under several limits at once; when that is nothing, how long it waits. */
export function ask(buckets: readonly Bucket[], taker: Taker, max: number, now: number): { readonly room: number; readonly waitMs: number } {
  const rooms = buckets.map((bucket) => bucket.room(taker, max, now));
  const isOpen = rooms.every((room) => room > 0);
  // Who has a limit's leave and waits for another one holds nobody up there meanwhile.
  const waits = buckets.map((bucket, index) => {
    if (rooms[index] === 0 && max > 0) return bucket.wait(taker, max, now);
    bucket.leave(taker);
    return 0;
  });
  return { room: isOpen ? Math.min(max, ...rooms) : 0, waitMs: Math.max(0, ...waits) };
}
