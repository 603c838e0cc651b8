// What the bulk lanes of one link carry (docs/PROTOCOL.md, "The door"). Rule: numbers only, in the terms of the link's own.

import { RateMeter } from '../lib/rate.ts';
import type { LaneWay } from './lane-format.ts';

/** So many bytes are told to the rates at once. */
const LOOK_BYTES = 512 * 1024;

/** Counted once for each end of a link. */
export class LaneMeter {
  readonly #rates = { out: new RateMeter(), in: new RateMeter() };
  readonly #now: () => number;
  /** Not given to the rates yet: each look at the clock costs more than a part does. */
  readonly #pending = { out: 0, in: 0 };
  /** Lanes that are open, or being opened from here. */
  open = 0;
  sent = 0;
  received = 0;

  /** @param now milliseconds that never run backwards */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param direction as this end sees it */
  moved(bytes: number, direction: 'out' | 'in'): void {
    this.#pending[direction] += bytes;
    if (this.#pending[direction] >= LOOK_BYTES) this.#settle(direction);
    if (direction === 'out') this.sent += bytes;
    else this.received += bytes;
  }

  /** Bytes a second. */
  rates(): { readonly up: number; readonly down: number } {
    this.#settle('out');
    this.#settle('in');
    const now = this.#now();
    return { up: this.#rates.out.read(now), down: this.#rates.in.read(now) };
  }

  #settle(direction: 'out' | 'in'): void {
    this.#rates[direction].add(this.#pending[direction], this.#now());
    this.#pending[direction] = 0;
  }
}

/** Which way a body goes, as the end that dialled or the one that listens sees it. */
export function directionOf(way: LaneWay, role: 'dialler' | 'listener'): 'out' | 'in' {
  return (way === 'up') === (role === 'dialler') ? 'out' : 'in';
}
