// Notices that the machine slept or changed its network (docs/ARCHITECTURE.md). Rule: one look every 5 s that sends nothing and starts
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
  readonly events: Pick<Events, 'emit'>;
  /** Whatever was up may be down, and whatever waited may try again. */
  readonly onChange: () => void;
}

/** Looks from `start` to `stop`. */
export class Wake {
  readonly #parts: WakeParts;
  #timer: Timer | undefined;

  constructor(parts: WakeParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, interfaces } = this.#parts;
    this.stop();
    this.#lookAgain(new WakeMachine(clock.now(), interfaces()));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #lookAgain(machine: WakeMachine): void {
    const { clock, interfaces, events, onChange } = this.#parts;
    this.#timer = clock.setTimer(LOOK_MS, () => {
      this.#lookAgain(machine);
      const changes = machine.look(clock.now(), interfaces());
      for (const change of changes) events.emit({ type: change.type, words: formatChange(change) });
      if (changes.length > 0) onChange();
    });
  }
}

function formatChange(change: Change): string {
  return change.type === 'woke' ? `nothing ran for ${formatDuration(change.missedMs)}: the machine slept, or its clock was set` : 'the addresses of this machine changed';
}
