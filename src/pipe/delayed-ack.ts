// When to tell the other end what has arrived (after RFC 9000 §13.2). Rule: an acknowledgement rides on data that goes out
// anyway; alone it goes after 64 KiB or 6 s: before the other end's PING, which comes after 8 s of silence (docs/decisions/0022-late-acknowledgement.md).

/** An acknowledgement waits at most this long, in milliseconds. */
export const ACK_DELAY_MS = 6000;
/** …or until so many bytes have arrived since the last one. */
export const ACK_BYTES = 64 * 1024;

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
    if (this.#received - this.#told >= ACK_BYTES) this.#isDue = true;
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
