// The lines between devices: delay, jitter, loss, copies and cuts. Rule: all run side by side; what one device asks of another ends once for
// the asker, with an answer or without, unless the asker is gone itself.

import type { World } from './world.ts';

/** What can stand at an end of a line. */
export interface End {
  readonly isRunning: boolean;
  /** Rises with each start: what was on its way to an earlier life is lost. */
  readonly life: number;
}

/** A line between two devices. */
export class Line {
  readonly world: World;
  /** Milliseconds one way at least. */
  readonly delay: number;
  isUp = true;
  /** Rises with each cut. */
  cuts = 0;

  constructor(world: World) {
    this.world = world;
    // From one desk to the next, or around the world through a throttled server.
    this.delay = 5 * 10 ** world.draw.between(0, 2);
  }

  cut(): void {
    this.isUp = false;
    this.cuts += 1;
  }

  mend(): void {
    this.isUp = true;
  }

  /** Something is said, and nobody learns whether it came. */
  say(to: End, hear: () => void): void {
    this.#carry(to, hear, () => undefined);
  }

  /**
   * Something is asked; of `answered` and `failed` exactly one is called while the asker lives.
   * @param how.ask what the other end does; it may happen twice
   */
  ask<T>(from: End, to: End, how: { readonly ask: () => T; readonly answered: (answer: T) => void; readonly failed: () => void }): void {
    const { life } = from;
    const tell = (run: () => void) => (): void => {
      if (from.life === life && from.isRunning) run();
    };
    const fail = (): void => this.world.after(this.world.draw.between(200, 20_000), tell(how.failed));
    const hear = (): void => {
      const answer = how.ask();
      this.#carry(from, tell(() => how.answered(answer)), fail, false);
    };
    this.#carry(to, hear, fail);
  }

  #carry(to: End, arrive: () => void, lose: () => void, mayDouble = true): void {
    const { draw, trouble } = this.world;
    const { cuts } = this;
    if (!this.isUp || draw.hasLuck(trouble)) return lose();
    const isThere = (): boolean => this.isUp && this.cuts === cuts && to.isRunning;
    this.world.after(this.#time(), () => (isThere() ? arrive() : lose()));
    // The copy of a question is answered to nobody.
    if (mayDouble && draw.hasLuck(trouble)) this.world.after(this.#time() * 10, () => void (isThere() && arrive()));
  }

  #time(): number {
    const { draw, trouble } = this.world;
    const jitter = this.delay * draw.unit() ** 2 * 3;
    return this.delay + jitter + (draw.hasLuck(trouble) ? draw.between(0, 60_000) : 0);
  }
}
