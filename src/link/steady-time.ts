// A pipe's time, made from a clock that people and sleep change. Rule: it never runs backwards, and it never leaps over what is due: time
// in which nothing ran counts as no time of waiting.

import type { Clock } from '../lib/clock.ts';

/** What is due may be late by this much; more is sleep, or a clock that was set, in milliseconds. */
const MAX_LATE_MS = 10_000;

/** Milliseconds from 0 at the first look. */
export class SteadyTime {
  readonly #clock: Clock;
  #lastWall: number;
  #time = 0;
  /** When the next thing is due, in this time; undefined for nothing. */
  dueAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastWall = clock.now();
  }

  now(): number {
    const wall = this.#clock.now();
    const most = Math.max(0, (this.dueAt ?? Infinity) - this.#time) + MAX_LATE_MS;
    this.#time += Math.min(Math.max(0, wall - this.#lastWall), most);
    this.#lastWall = wall;
    return this.#time;
  }
}
