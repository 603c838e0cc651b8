// How long to wait before trying again. Rule: grows to a cap, is jittered, and starts over after success; draws no randomness itself.

export interface BackoffOptions {
  /** First wait, in milliseconds. */
  readonly baseMs: number;
  /** Longest wait, in milliseconds. */
  readonly capMs: number;
}

/** Counts failures in a row and says how long to wait after each. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get failures(): number {
    return this.#failures;
  }

  /**
   * Milliseconds to wait after one more failure: half of the doubled wait, and up to as much again by `random`.
   * @param random from 0 up to 1, drawn by the caller
   */
  fail(random: number): number {
    const { baseMs, capMs } = this.#options;
    const full = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.round(full / 2 + (full / 2) * random);
  }

  succeed(): void {
    this.#failures = 0;
  }
}
