// PINGs of one attachment and what their answers tell: how long the way is, and whether all that was sent has arrived. Rule: only the newest
// PING counts, and its answer speaks for what went out before it, never for what came after.

/** A PING frame, or a PONG: a take of no more says nothing that has to arrive. */
const PING_BYTES = 9;

/** Asks and answers on the carrier that runs. */
export class RoundTrip {
  #number = 0;
  #askedAt: number | undefined;
  #rttMs: number | undefined;
  /** Whether something but a PING went out that no answer speaks for. */
  #isOwed = false;
  #hasSentSince = false;

  /** Of the last answered PING, in milliseconds; undefined before the first. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Whether a PING is worth sending to know that all has arrived. */
  get isOwed(): boolean {
    return this.#isOwed;
  }

  /** A new carrier begins. Numbers go on, so that no late PONG is taken for an answer. */
  begin(): void {
    this.#askedAt = undefined;
    this.#rttMs = undefined;
    this.#isOwed = false;
  }

  /** Bytes were handed to the carrier. */
  took(count: number): void {
    if (count <= PING_BYTES) return;
    this.#isOwed = true;
    this.#hasSentSince = true;
  }

  /** The number of the next PING, which goes out now. */
  ask(now: number): number {
    this.#number += 1;
    this.#askedAt = now;
    this.#hasSentSince = false;
    return this.#number;
  }

  /** A PONG came; one for an older PING says nothing any more. */
  answered(number: number, now: number): void {
    if (number !== this.#number || this.#askedAt === undefined) return;
    this.#rttMs = Math.max(0, now - this.#askedAt);
    this.#askedAt = undefined;
    if (!this.#hasSentSince) this.#isOwed = false;
  }
}
