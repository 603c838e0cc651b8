// Whether the carrier still reaches the other end. Rule: an idle pipe sends nothing; only while something is expected does
// silence matter, and a carrier is given up for dead only after a PING that was not answered (a sleeping laptop's clock jumps).

/** Silence before a PING, and between PINGs, in milliseconds. */
export const PING_MS = 8000;
/** Silence after which the carrier is dead, in milliseconds. */
export const UNHEARD_MS = 20_000;

/** What `wakeup` found. */
export type Pulse = 'well' | 'ping' | 'dead';

/** Times how long a carrier has been silent while that matters. */
export class Liveness {
  #isExpecting = false;
  #silentSince = 0;
  #firstPingAt: number | undefined;
  #lastPingAt: number | undefined;

  /** Something came from the other end, or a new carrier begins. */
  heard(now: number): void {
    this.#silentSince = now;
    this.#firstPingAt = undefined;
    this.#lastPingAt = undefined;
  }

  /** Whether the other end owes an answer from now on. */
  expect(isExpecting: boolean, now: number): void {
    if (isExpecting && !this.#isExpecting) this.heard(now);
    this.#isExpecting = isExpecting;
  }

  /** When `wakeup` has something to do. */
  get nextAt(): number | undefined {
    return this.#isExpecting ? Math.min(this.#pingAt, this.#deadAt) : undefined;
  }

  /** Says `ping` at most once per silence of `PING_MS`. */
  wakeup(now: number): Pulse {
    if (!this.#isExpecting) return 'well';
    if (now >= this.#deadAt) return 'dead';
    if (now < this.#pingAt) return 'well';
    this.#firstPingAt ??= now;
    this.#lastPingAt = now;
    return 'ping';
  }

  get #pingAt(): number {
    return (this.#lastPingAt ?? this.#silentSince) + PING_MS;
  }

  get #deadAt(): number {
    return this.#firstPingAt === undefined ? Infinity : this.#firstPingAt + UNHEARD_MS - PING_MS;
  }
}
