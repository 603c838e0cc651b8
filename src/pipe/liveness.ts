// Whether the carrier still reaches the other end. Rule: an idle pipe sends nothing; only while something is expected does
// silence matter, and a carrier is given up for dead only after a PING that was not answered (a sleeping laptop's clock jumps).

/** How patient one kind of carrier is waited for, in milliseconds. */
export interface Pace {
  /** Silence before a PING, and between PINGs. */
  readonly pingMs: number;
  /** Silence after which the carrier is dead. */
  readonly unheardMs: number;
}

/** Through a server that throttles, answers take long. */
export const PATIENT: Pace = { pingMs: 8000, unheardMs: 20_000 };
/** A connection of its own answers at once or is broken, and there is always the server's way to fall back on. */
export const BRISK: Pace = { pingMs: 3000, unheardMs: 9000 };

/** What `wakeup` found. */
export type Pulse = 'well' | 'ping' | 'dead';

/** Times how long a carrier has been silent while that matters. */
export class Liveness {
  #pace: Pace = PATIENT;
  #isExpecting = false;
  #silentSince = 0;
  #firstPingAt: number | undefined;
  #lastPingAt: number | undefined;

  /** A new carrier begins. */
  begin(pace: Pace, now: number): void {
    this.#pace = pace;
    this.heard(now);
  }

  /** Something came from the other end. */
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

  /** How long it may be silent at most, in milliseconds. */
  get unheardMs(): number {
    return this.#pace.unheardMs;
  }

  /** Says `ping` at most once per silence of `pingMs`. */
  wakeup(now: number): Pulse {
    if (!this.#isExpecting) return 'well';
    if (now >= this.#deadAt) return 'dead';
    if (now < this.#pingAt) return 'well';
    this.#firstPingAt ??= now;
    this.#lastPingAt = now;
    return 'ping';
  }

  get #pingAt(): number {
    return (this.#lastPingAt ?? this.#silentSince) + this.#pace.pingMs;
  }

  get #deadAt(): number {
    return this.#firstPingAt === undefined ? Infinity : this.#firstPingAt + this.#pace.unheardMs - this.#pace.pingMs;
  }
}
