// Notices a server that is gone while TCP still pretends (XEP-0198 §5, RFC 6120 §4.6.2), and keeps a stream from being ended as idle (XEP-0478).
// Rule: silence is asked about, and no answer ends the connection; nothing here waits for a send to finish.

import type { Clock, Timer } from '../lib/clock.ts';

export interface LivenessOptions {
  readonly clock: Clock;
  /** From 0 up to 1: agents that lost one server together do not ask together. */
  readonly random: () => number;
  /** Sends something that the server must answer. */
  readonly ask: () => void;
  readonly onDead: () => void;
  /** The server ends a stream on which nothing was sent for so long, in milliseconds; known once signed in. */
  readonly idleMs?: () => number | undefined;
  /** Silence before asking, in milliseconds; default 60 000, shortened by up to a tenth. */
  readonly silenceMs?: number;
  /** What an answer may take; default 20 000. */
  readonly answerMs?: number;
}

/** Of the server's own patience so much is used: what is sent takes its time to arrive. */
const IDLE_SHARE = 0.7;

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #silenceMs: number;
  readonly #answerMs: number;
  #heardAt: number;
  #saidAt: number;
  #hasAnswered = false;
  #timer: Timer | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#silenceMs = options.silenceMs ?? 60_000;
    this.#answerMs = options.answerMs ?? 20_000;
    this.#heardAt = options.clock.now();
    this.#saidAt = this.#heardAt;
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

  /** To be called when anything is sent. */
  said(): void {
    this.#saidAt = this.#options.clock.now();
  }

  #wait(): void {
    const silence = this.#silenceMs * (1 - this.#options.random() / 10);
    const left = (): number => Math.min(this.#heardAt + silence, this.#saidAt + this.#idle()) - this.#options.clock.now();
    this.#timer = this.#options.clock.setTimer(Math.max(0, left()), () => {
      if (left() > 0) return this.#wait();
      this.#hasAnswered = false;
      return this.#ask(this.#options.clock.now());
    });
  }

  /** @param since when the question was asked first */
  #ask(since: number): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(Math.min(since + this.#answerMs - clock.now(), this.#idle()), () => {
      if (this.#hasAnswered) this.#wait();
      else if (clock.now() - since >= this.#answerMs) this.#options.onDead();
      else this.#ask(since);
    });
    this.#options.ask();
  }

  #idle(): number {
    return (this.#options.idleMs?.() ?? Infinity) * IDLE_SHARE;
  }
}
