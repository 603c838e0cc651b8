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
  /** When an answer is due; undefined while none is. */
  #dueAt: number | undefined;
  #probes: ((isAlive: boolean) => void)[] = [];
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
    this.#tellProbes(false);
  }

  /**
   * Asks now, whatever was heard before: sleep and another network leave no trace. Several at once share one question.
   * @returns whether any byte came within `answerMs`; if none did, `onDead` has been called
   */
  probe(answerMs = 5_000): Promise<boolean> {
    const answer = new Promise<boolean>((resolve) => this.#probes.push(resolve));
    const isSooner = this.#dueAt === undefined || this.#hasAnswered || this.#options.clock.now() + answerMs < this.#dueAt;
    if (isSooner) this.#ask(answerMs);
    return answer;
  }

  /** To be called when any byte comes in. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#hasAnswered = true;
    if (this.#probes.length > 0) this.#tellProbes(true);
  }

  #tellProbes(isAlive: boolean): void {
    for (const tell of this.#probes.splice(0)) tell(isAlive);
  }

  #wait(): void {
    this.#dueAt = undefined;
    const silence = this.#silenceMs * (1 - this.#options.random() / 10);
    // Of a clock that was set back, the silence counts from now.
    this.#heardAt = Math.min(this.#heardAt, this.#options.clock.now());
    const left = Math.max(0, this.#heardAt + silence - this.#options.clock.now());
    this.#timer = this.#options.clock.setTimer(left, () => {
      const silent = this.#options.clock.now() - this.#heardAt;
      if (silent < silence) this.#wait();
      else this.#ask(this.#answerMs);
    });
  }

  #ask(answerMs: number): void {
    this.#timer?.cancel();
    this.#hasAnswered = false;
    this.#dueAt = this.#options.clock.now() + answerMs;
    this.#timer = this.#options.clock.setTimer(answerMs, () => {
      if (this.#hasAnswered) return this.#wait();
      this.#tellProbes(false);
      this.#options.onDead();
    });
    this.#options.ask();
  }
}
