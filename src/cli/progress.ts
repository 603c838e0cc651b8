// The one line of what takes long, on stderr. Rule: no silence over a second; written over itself on a terminal, elsewhere one line when something
// changes that a person would tell, and at most every ten seconds.

import type { CloneLine } from '../agent/answers.ts';
import { realClock } from '../lib/clock.ts';
import { cut } from './cells-format.ts';
import { movingLine } from './moving-format.ts';
import { isLive, lookOf, widthOf } from './terminal.ts';

const LINE_EVERY_MS = 10_000;
/** Nobody wonders before. */
const SILENCE_MS = 800;
const TURN_MS = 1_000;

/** What is waited for now, the innermost last: it alone is said. */
const waits: StatusLine[] = [];

export interface Progress {
  line(told: Extract<CloneLine, { readonly type: 'progress' }>, peer: string): void;
  /** Ends the line. */
  end(): void;
}

/** Of a clone. */
export function tellProgress(): Progress {
  const line = new StatusLine();
  return {
    line(told, peer) {
      const { received, isOnline, rate = 0, carrier } = told;
      const way = carrier === undefined ? 'Receiving' : `Receiving, ${carrier}`;
      const off = told.down === undefined ? `${peer} is offline` : `this device is not online (${told.down})`;
      const look = { ...lookOf(process.stderr), width: widthOf(process.stderr) - 1 };
      line.show(isOnline ? movingLine(way, { ...told, bytes: received, rate }, look) : `${off}; this goes on when it returns`, isOnline ? 'online' : 'offline');
    },
    end: () => line.keep(),
  };
}

/**
 * Waits for `work`; when that takes longer than a moment, says what is waited for.
 * @param describe asked again now and then: what is waited for now
 */
export async function telling<T>(describe: string | (() => string | Promise<string>), work: Promise<T>): Promise<T> {
  const line = new StatusLine();
  const from = realClock.now();
  let isOver = false;
  const show = async (): Promise<void> => {
    const words = typeof describe === 'string' ? describe : await Promise.resolve(describe()).catch(() => '');
    if (isOver) return;
    realClock.setTimer(TURN_MS, () => void show());
    if (waits.at(-1) !== line) return;
    const seconds = Math.floor((realClock.now() - from) / 1000);
    line.show(`${words}…${seconds >= 5 ? ` ${seconds} s` : ''}`, words);
  };
  const first = realClock.setTimer(SILENCE_MS, () => void show());
  waits.push(line);
  try {
    return await work;
  } finally {
    isOver = true;
    first.cancel();
    waits.splice(waits.indexOf(line), 1);
    line.clear();
  }
}

/** A line that takes the place of the one before. */
class StatusLine {
  readonly #isLive = isLive(process.stderr);
  #toldAt = -Infinity;
  #state = '';
  #isOpen = false;

  /** @param state where lines are kept, one of another state is told at once */
  show(words: string, state: string): void {
    const now = realClock.now();
    if (!this.#isLive && state === this.#state && now - this.#toldAt < LINE_EVERY_MS) return;
    [this.#state, this.#toldAt] = [state, now];
    process.stderr.write(this.#isLive ? `\r\u001b[K${cut(words, widthOf(process.stderr) - 1)}` : `${words}\n`);
    this.#isOpen = this.#isLive;
  }

  /** It stays, and what is written next comes below it. */
  keep(): void {
    if (this.#isOpen) process.stderr.write('\n');
    this.#isOpen = false;
  }

  clear(): void {
    if (this.#isOpen) process.stderr.write('\r\u001b[K');
    this.#isOpen = false;
  }
}
