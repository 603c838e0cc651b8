// So many at once, and the rest in order of arrival. Rule: whoever has a turn gives it back exactly once, however often it says so.

/** Gives back a turn; a second call does nothing. */
export type GiveBack = () => void;

/** Turns of which there are a fixed number. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait for theirs. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is this caller's turn. */
  async take(): Promise<GiveBack> {
    if (this.#free > 0) this.#free -= 1;
    // The one who gives back hands its turn on, so that nobody who comes in between gets it.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  /** Does `work` when it is its turn. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const giveBack = await this.take();
    try {
      return await work();
    } finally {
      giveBack();
    }
  }
}
