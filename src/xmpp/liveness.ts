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
  /** Silence before asking, in milliseconds; default 150 000, shortened by up to a tenth: with its answer less than a stanza a minute. */
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
  /** When an answer is due; undefined while none is. */
  #dueAt: number | undefined;
  #probes: ((isAlive: boolean) => void)[] = [];
  #timer: Timer | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#silenceMs = options.silenceMs ?? 150_000;
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

  /** To be called when anything is sent. */
  said(): void {
    this.#saidAt = this.#options.clock.now();
  }

  #wait(): void {
    const { clock, random } = this.#options;
    this.#dueAt = undefined;
    const silence = this.#silenceMs * (1 - random() / 10);
    // Of a clock that was set back, the silence counts from now.
    this.#heardAt = Math.min(this.#heardAt, clock.now());
    this.#saidAt = Math.min(this.#saidAt, clock.now());
    const left = (): number => Math.min(this.#heardAt + silence, this.#saidAt + this.#idle()) - clock.now();
    this.#timer = clock.setTimer(Math.max(0, left()), () => {
      if (left() > 0) this.#wait();
      else this.#ask(this.#answerMs);
    });
  }

  #ask(answerMs: number): void {
    this.#timer?.cancel();
    this.#hasAnswered = false;
    this.#dueAt = this.#options.clock.now() + answerMs;
    this.#askUntil(answerMs);
  }

  /** The question is repeated where the server would end the stream before an answer is due. */
  #askUntil(leftMs: number): void {
    const stepMs = Math.min(leftMs, this.#idle());
    this.#timer = this.#options.clock.setTimer(stepMs, () => {
      if (this.#hasAnswered) return this.#wait();
      if (leftMs > stepMs) return this.#askUntil(leftMs - stepMs);
      this.#tellProbes(false);
      this.#options.onDead();
    });
    this.#options.ask();
  }

  #idle(): number {
    return (this.#options.idleMs?.() ?? Infinity) * IDLE_SHARE;
  }
}
