// Devices that ask for a link and are not paired: a thief with the password, or one that was unpaired. Rule: each address is told once a minute, few
// in all, and the rest counted: who asks without end can push no other event out, and fills no log.

import type { Clock } from '../lib/clock.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Events } from './events.ts';

const EVERY_MS = 60_000;
/** Addresses that are told apart within that time. */
const MAX_TOLD = 16;

export class Strangers {
  readonly #events: Pick<Events, 'emit'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #toldAt = new Map<FullJid, number>();
  #untold = 0;

  constructor(events: Pick<Events, 'emit'>, clock: Pick<Clock, 'now'>) {
    this.#events = events;
    this.#clock = clock;
  }

  /** One asked, and was turned away. */
  knocked(by: FullJid): void {
    const now = this.#clock.now();
    for (const [jid, at] of this.#toldAt) if (Math.abs(now - at) >= EVERY_MS) this.#toldAt.delete(jid);
    if (this.#toldAt.has(by) || this.#toldAt.size >= MAX_TOLD) {
      this.#untold += 1;
      return;
    }
    this.#toldAt.set(by, now);
    const more = this.#untold === 0 ? '' : `; ${this.#untold} more were turned away before`;
    this.#untold = 0;
    this.#events.emit({ type: 'stranger', words: `${by} asked for a link and is not paired${more}`, by });
  }
}
