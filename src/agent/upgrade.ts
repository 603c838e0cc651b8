// Goes over to a newer program: an upgrade of the package replaces the file that this agent was started from (rename(2)). Rule: only a file that
// is whole and stays as it is counts, and nothing that is moving is cut off: the agent ends in a quiet moment, once.

import type { Clock, Timer } from '../lib/clock.ts';

export interface UpgradeParts {
  /** What tells one file from the next one of its name; undefined while there is none. */
  readonly look: () => Promise<string | undefined>;
  /** Whether this process may end by itself; else `onUpgrade` only tells. */
  readonly mayEnd: boolean;
  /** Whether something would be cut off. */
  readonly isBusy: () => boolean;
  /** The program is another one, and nothing is moving; called once. */
  readonly onUpgrade: () => void;
  readonly clock: Clock;
}

/** `same`: the program is the one that runs. `busy`: it goes over once nothing is moving. `now`: it does so at once. */
export type UpgradeAnswer = 'same' | 'busy' | 'now';

/** One stat(2) each. */
const LOOK_EVERY_MS = 30_000;
/** A package manager writes for some moments. */
const SETTLE_MS = 3_000;
const LOOK_WHEN_BUSY_MS = 2_000;
/** What moves for longer goes on after the restart: slices are kept, offers are made again. */
const PATIENCE_MS = 60 * 60_000;

/** Watches the program's file. */
export class UpgradeWatch {
  readonly #parts: UpgradeParts;
  #started: string | undefined;
  #timer: Timer | undefined;
  #foundAt: number | undefined;
  #isOver = false;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Remembers the program as it is now, and looks from time to time. */
  async start(): Promise<void> {
    this.#started = await this.#parts.look();
    this.#after(LOOK_EVERY_MS, () => this.#watch(undefined));
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  /** Asked by a command of another version, so the program is whole. */
  async ask(): Promise<UpgradeAnswer> {
    const { look, mayEnd, isBusy, clock } = this.#parts;
    const found = await look();
    if (!mayEnd || found === undefined || found === this.#started) return 'same';
    const answer = isBusy() ? 'busy' : 'now';
    this.#foundAt ??= clock.now();
    // After the answer is out.
    if (!this.#isOver) this.#after(0, async () => this.#goOver());
    return answer;
  }

  /** @param before what the last look found, when it was no longer the program that runs */
  async #watch(before: string | undefined): Promise<void> {
    const found = await this.#parts.look();
    if (this.#isOver || this.#foundAt !== undefined) return;
    if (found === undefined || found === this.#started) return this.#after(LOOK_EVERY_MS, () => this.#watch(undefined));
    if (found !== before) return this.#after(SETTLE_MS, () => this.#watch(found));
    this.#foundAt = this.#parts.clock.now();
    this.#goOver();
  }

  #goOver(): void {
    const { clock, mayEnd, isBusy, onUpgrade } = this.#parts;
    this.#timer?.cancel();
    const waited = clock.now() - (this.#foundAt ?? 0);
    if (mayEnd && isBusy() && waited < PATIENCE_MS) return this.#after(LOOK_WHEN_BUSY_MS, async () => this.#goOver());
    this.stop();
    onUpgrade();
  }

  #after(ms: number, then: () => Promise<void>): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(ms, () => void then());
  }
}
