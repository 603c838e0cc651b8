// Notices a server that is gone while TCP still pretends (XEP-0198 §5, RFC 6120 §4.6.2).
// Rule: silence is asked about, and no answer ends the connection; nothing here waits for a send to finish.

import type { Clock, Timer } from '../lib/clock.ts';

export interface LivenessOptions {
  readonly clock: Clock;
  /** From 0 up to 1: agents that lost one server together do not ask together. */
  readonly random: () => number;
  /** Sends something that the server must answer. */
  readonly ask: () => void;
  readonly onDead: () => void;
  /** Silence before asking, in milliseconds; default 60 000, shortened by up to a tenth. */
  readonly silenceMs?: number;
  /** What an answer may take; default 20 000. */
  readonly answerMs?: number;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #silenceMs: number;
  readonly #answerMs: number;
  #heardAt: number;
  #hasAnswered = false;
  #timer: Timer | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#silenceMs = options.silenceMs ?? 60_000;
    this.#answerMs = options.answerMs ?? 20_000;
    this.#heardAt = options.clock.now();
  }

  start(): void {
    this.heard();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** To be called when any byte comes in. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#hasAnswered = true;
  }

  #wait(): void {
    const silence = this.#silenceMs * (1 - this.#options.random() / 10);
    const left = Math.max(0, this.#heardAt + silence - this.#options.clock.now());
    this.#timer = this.#options.clock.setTimer(left, () => {
      if (this.#options.clock.now() - this.#heardAt < silence) this.#wait();
      else this.#ask();
    });
  }

  #ask(): void {
    this.#hasAnswered = false;
    this.#timer = this.#options.clock.setTimer(this.#answerMs, () => {
      if (this.#hasAnswered) this.#wait();
      else this.#options.onDead();
    });
    this.#options.ask();
  }
}
