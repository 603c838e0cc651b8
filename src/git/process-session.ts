// The end of a git process that leads a session of its own (run.ts starts it). Rule: only the leader is killed; what it started is left to the end of its input.

import type { Readable } from 'node:stream';
import { realClock } from '../lib/clock.ts';
import type { Timer } from '../lib/clock.ts';

/** It is killed this many milliseconds after it was asked to end. */
const PATIENCE_MS = 5000;
/** What it started may hold its output open; its last words are waited for this long. */
const LAST_WORDS_MS = 1000;

/**
 * A process in a session of its own, and when it is ended. Only it is killed: what it started reads the end of its input, as from a lost connection. A
 * `receive-pack` that is killed would leave its quarantine behind (tmp-objdir.c).
 */
export class Session {
  isLate = false;
  readonly #child: SessionChild;
  readonly #signal: AbortSignal;
  readonly #timers: Timer[];
  readonly #end = (): void => {
    const { stdout, stderr } = this.#child;
    this.#child.kill('SIGTERM');
    this.#timers.push(realClock.setTimer(PATIENCE_MS, () => this.#child.kill('SIGKILL')));
    const letGo = (): void => [stdout, stderr].forEach((stream) => void stream?.destroy());
    this.#child.once('exit', () => this.#timers.push(realClock.setTimer(LAST_WORDS_MS, letGo)));
  };

  constructor(child: SessionChild, signal: AbortSignal, deadlineMs: number) {
    this.#child = child;
    this.#signal = signal;
    const onLate = (): void => {
      this.isLate = true;
      this.#end();
    };
    this.#timers = [realClock.setTimer(deadlineMs, onLate)];
    if (signal.aborted) this.#end();
    else signal.addEventListener('abort', this.#end, { once: true });
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#end);
    for (const timer of this.#timers) timer.cancel();
  }
}

/** What it needs of the process. */
export interface SessionChild {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  kill(signal: NodeJS.Signals): boolean;
  once(event: 'exit', listener: () => void): unknown;
}
