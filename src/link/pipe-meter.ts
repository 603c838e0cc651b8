// How fast a pipe moves. Rule: outgoing bytes count when the other end has them, so that a replay is not counted twice.

import { RateMeter } from '../lib/rate.ts';
import type { PipeEvent } from '../pipe/pipe-types.ts';

/** Bytes a second, averaged over the last few seconds. */
export interface PipeRates {
  /** Of what the other end has acknowledged. */
  readonly up: number;
  /** Of what came from it. */
  readonly down: number;
}

/** Both directions of one pipe. */
export class PipeMeter {
  readonly #up = new RateMeter();
  readonly #down = new RateMeter();
  #acknowledged = 0;

  /** What the pipe's machine tells. */
  note(event: PipeEvent, now: number): void {
    if (event.type === 'data') this.#down.add(event.bytes.length, now);
    if (event.type !== 'acknowledged') return;
    this.#up.add(event.offset - this.#acknowledged, now);
    this.#acknowledged = event.offset;
  }

  rates(now: number): PipeRates {
    return { up: this.#up.read(now), down: this.#down.read(now) };
  }
}
