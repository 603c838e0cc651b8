// When to tell the other end what has arrived (after RFC 9000 §13.2). Rule: an acknowledgement rides on data that goes out
// anyway; alone it goes after 512 KiB, 10 ms after 64 KiB, or after 6 s: before the other end's PING, which comes after 8 s of silence
// (docs/decisions/0022-late-acknowledgement.md, 0028-fewer-larger-pieces.md).

/** An acknowledgement waits at most this long, in milliseconds. */
export const ACK_DELAY_MS = 6000;
/** …but no longer than a moment once so many bytes have arrived since the last one, which is all that some other ends may keep… */
export const ACK_BYTES = 64 * 1024;
export const ACK_SOON_MS = 10;
/** …and not at all after so many. */
export const ACK_NOW_BYTES = 512 * 1024;

/** What has arrived, and how much of it the other end knows. */
export class DelayedAck {
  #received: number;
  #told: number;
  #dueAt: number | undefined;
  #isDue = false;

  constructor(firstOffset: number) {
    this.#received = firstOffset;
    this.#told = firstOffset;
  }

  /** Every byte before this offset has arrived. */
  get received(): number {
    return this.#received;
  }

  /** Whether the other end knows less than has arrived. */
  get isOwed(): boolean {
    return this.#received > this.#told;
  }

  /** Whether it must be told without waiting for data. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** When `wakeup` has something to do. */
  get nextAt(): number | undefined {
    return this.#isDue ? undefined : this.#dueAt;
  }

  add(count: number, now: number): void {
    this.#received += count;
    this.#dueAt ??= now + ACK_DELAY_MS;
    const untold = this.#received - this.#told;
    if (untold >= ACK_BYTES && untold - count < ACK_BYTES) this.#dueAt = Math.min(this.#dueAt, now + ACK_SOON_MS);
    if (untold >= ACK_NOW_BYTES) this.#isDue = true;
  }

  wakeup(now: number): void {
    if (this.#dueAt !== undefined && now >= this.#dueAt) this.#isDue = true;
  }

  /** The offset to tell, which counts as told. */
  tell(): number {
    this.#told = this.#received;
    this.#dueAt = undefined;
    this.#isDue = false;
    return this.#received;
  }
}
