// What both ends of one bulk lane have in common, on TLS over a socket of its own (docs/PROTOCOL.md, "Bulk lanes"). Rule: whoever hears nothing for a
// while, or hears what cannot be, lets go of it: a lane is a faster way and never the only one.

import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../lib/clock.ts';

/** Each end says something this often, and takes the other for gone after so long, in milliseconds. */
const BEAT_MS = 5_000;
const SILENT_MS = 15_000;
/** What the end may take. */
const CLOSE_MS = 5_000;

export interface LaneSocketOptions {
  /** TLS, past its handshake. */
  readonly stream: Duplex;
  readonly clock: Clock;
  /** It goes through a proxy. */
  readonly isProxied: boolean;
}

/** Beats, and an end that is told once. */
export abstract class LaneEnd {
  protected readonly stream: Duplex;
  protected readonly clock: Clock;
  /** Since the last look at the clock, which costs more than a part does. */
  #hasHeard = false;
  #heardAt: number;
  #saidAt: number;
  #timer: Timer;
  #isOver = false;
  readonly #onLost: (why: string) => void;

  constructor({ stream, clock }: LaneSocketOptions, onLost: (why: string) => void) {
    this.stream = stream;
    this.clock = clock;
    this.#onLost = onLost;
    this.#heardAt = clock.now();
    this.#saidAt = clock.now();
    stream.on('error', () => stream.destroy());
    stream.once('close', () => this.lose('it ended'));
    stream.once('end', () => this.lose('it ended'));
    this.#timer = clock.setTimer(BEAT_MS, () => this.#beat());
    if (stream.destroyed) queueMicrotask(() => this.lose('it ended'));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends it without a word to this side. */
  destroy(): void {
    this.#over();
    this.stream.destroy();
  }

  protected heard(): void {
    this.#hasHeard = true;
  }

  protected said(): void {
    this.#saidAt = this.clock.now();
  }

  /** Says that this end is alive. */
  protected abstract beat(): void;

  /** Whether this end is in a state to hear anything. */
  protected abstract get isListening(): boolean;

  /** It is over: nothing is due any more. */
  protected abstract ended(): void;

  protected lose(why: string): void {
    if (this.#isOver) return;
    this.destroy();
    this.#onLost(why);
  }

  /** What was said is sent, then it ends. */
  protected finish(): void {
    this.#over();
    this.stream.end();
    this.stream.resume();
    this.clock.setTimer(CLOSE_MS, () => this.stream.destroy());
  }

  #over(): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.ended();
  }

  #beat(): void {
    const now = this.clock.now();
    // A clock that was set back begins anew.
    if (this.#hasHeard || !this.isListening || now < this.#heardAt) this.#heardAt = now;
    this.#hasHeard = false;
    if (now - this.#heardAt >= SILENT_MS) return this.lose('nothing is heard on it');
    if (now - this.#saidAt >= BEAT_MS || now < this.#saidAt) this.beat();
    this.#timer = this.clock.setTimer(BEAT_MS, () => this.#beat());
  }
}
