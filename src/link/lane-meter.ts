// What the bulk lanes of one link carry (docs/PROTOCOL.md, "The door"). Rule: numbers only, in the terms of the link's own.

import { RateMeter } from '../lib/rate.ts';
import type { LaneWay } from './lane-format.ts';

/** Counted once for each end of a link. */
export class LaneMeter {
  readonly #rates = { out: new RateMeter(), in: new RateMeter() };
  readonly #now: () => number;
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
    this.#rates[direction].add(bytes, this.#now());
    if (direction === 'out') this.sent += bytes;
    else this.received += bytes;
  }

  /** Bytes a second. */
  rates(): { readonly up: number; readonly down: number } {
    const now = this.#now();
    return { up: this.#rates.out.read(now), down: this.#rates.in.read(now) };
  }
}

/** Which way a body goes, as the end that dialled or the one that listens sees it. */
export function directionOf(way: LaneWay, role: 'dialler' | 'listener'): 'out' | 'in' {
  return (way === 'up') === (role === 'dialler') ? 'out' : 'in';
}
