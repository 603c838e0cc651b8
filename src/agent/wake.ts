// Notices that the machine slept, changed its network or lost it (docs/ARCHITECTURE.md). Rule: one look every 2 s that sends nothing and starts
// nothing; only a change is told.

import type { Clock, Timer } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration-format.ts';
import type { Events } from './events.ts';
import { LOOK_MS, WakeMachine } from './wake-machine.ts';
import type { Change, Interfaces } from './wake-machine.ts';

export interface WakeParts {
  readonly clock: Clock;
  /** `networkInterfaces` of node:os. */
  readonly interfaces: () => Interfaces;
  /** A text that is another one when a default route is. */
  readonly routes: () => string;
  readonly events: Pick<Events, 'emit'>;
  /** Whatever was up may be down, and whatever waited may try again. */
  readonly onChange: () => void;
  /** No address leads anywhere any more. */
  readonly onLost: () => void;
}

/** Looks from `start` to `stop`. */
export class Wake {
  readonly #parts: WakeParts;
  #timer: Timer | undefined;
  #machine: WakeMachine | undefined;

  constructor(parts: WakeParts) {
    this.#parts = parts;
  }

  /** Whether this machine has an address that leads anywhere. */
  get hasNetwork(): boolean {
    return this.#machine?.hasNetwork ?? true;
  }

  start(): void {
    const { clock, interfaces, routes } = this.#parts;
    this.stop();
    this.#machine = new WakeMachine(clock.now(), interfaces(), routes());
    this.#lookAgain(this.#machine);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #lookAgain(machine: WakeMachine): void {
    const { clock, interfaces, routes, events, onChange, onLost } = this.#parts;
    this.#timer = clock.setTimer(LOOK_MS, () => {
      this.#lookAgain(machine);
      const changes = machine.look(clock.now(), interfaces(), routes());
      for (const change of changes) events.emit({ type: change.type, words: formatChange(change) });
      if (changes.some(({ type }) => type === 'lostnet')) onLost();
      else if (changes.length > 0) onChange();
    });
  }
}

const NETWORK_WORDS = { addresses: 'the addresses of this machine changed', route: 'the default route of this machine changed', return: 'the network is back' };

function formatChange(change: Change): string {
  if (change.type === 'woke') return `nothing ran for ${formatDuration(change.missedMs)}: the machine slept, or its clock was set`;
  return change.type === 'lostnet' ? 'this machine has no network' : NETWORK_WORDS[change.what];
}
