// Time, and what is on its way. Rule: things happen in the order they are due, each at its own time, and none while another does; so
// everything that is not ordered by its delay can overtake everything else.

import { Books } from './books.ts';
import { Commits } from './commits.ts';
import type { Decisions } from './decisions.ts';
import { Draw } from './draw.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  /** Whether it comes again and again, so that a world with nothing else is quiet. */
  readonly isClock: boolean;
}

/** What was counted. */
export interface Counts {
  /** Offers of maps, each with its answer. */
  offers: number;
  /** Offers of a map that the other held already, or has no use for. */
  vain: number;
  /** Comparisons of maps, each two messages. */
  digests: number;
  announcements: number;
  /** Maps published. */
  published: number;
  /** Fetches and pushes of hubs. */
  hub: number;
}

/** Milliseconds since 1970 when a simulation begins. */
const BEGIN = 1_700_000_000_000;

/** One simulation's clock, chance and objects. */
export class World {
  readonly decisions: Decisions;
  readonly draw: Draw;
  readonly commits: Commits;
  readonly books: Books;
  readonly counts: Counts = { offers: 0, vain: 0, digests: 0, announcements: 0, published: 0, hub: 0 };
  /** Chance that a message is lost, doubled or late. */
  trouble = 0;
  /** When a branch moved last, on any device. */
  movedAt = BEGIN;
  now = BEGIN;
  /** What happened so far. */
  events = 0;
  readonly #heap: Due[] = [];
  #order = 0;
  #working = 0;

  constructor(seed: number, decisions: Decisions) {
    this.decisions = decisions;
    this.draw = new Draw(seed);
    this.commits = new Commits(seed);
    this.books = new Books(decisions);
  }

  /** Milliseconds since the beginning. */
  get passed(): number {
    return this.now - BEGIN;
  }

  after(ms: number, run: () => void, isClock = false): void {
    if (!isClock) this.#working += 1;
    this.#push({ at: this.now + ms, order: (this.#order += 1), run, isClock });
  }

  /**
   * Lets `ms` pass.
   * @returns whether no more happened than so many events
   */
  pass(ms: number, limit: number): boolean {
    const [end, last] = [this.now + ms, this.events + limit];
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      if (this.events >= last) return false;
      this.#step();
    }
    this.now = end;
    return true;
  }

  /**
   * Goes on until nothing is on its way any more.
   * @returns whether it became quiet within so many events
   */
  settle(limit: number): boolean {
    for (let done = 0; this.#working > 0; done += 1) {
      if (done >= limit) return false;
      this.#step();
    }
    return true;
  }

  #step(): void {
    const due = this.#pop();
    if (due === undefined) return;
    if (!due.isClock) this.#working -= 1;
    this.now = due.at;
    this.events += 1;
    due.run();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(due, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && left !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
