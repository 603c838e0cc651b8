// What TLS has written and the pipe has no room for yet. Rule: taken in order, and answered once, when the pipe has all of it.

import type { PipeMachine } from '../pipe/pipe-machine.ts';

/** One write of Node's, of one or several parts. */
export class PendingWrite {
  readonly #parts: readonly Uint8Array[];
  readonly done: (error?: Error | null) => void;
  #next = 0;
  /** Bytes of the next part that were taken. */
  #taken = 0;

  constructor(parts: readonly Uint8Array[], done: (error?: Error | null) => void) {
    this.#parts = parts;
    this.done = done;
  }

  /** Writes as much as there is room for; says whether that was all. */
  writeTo(machine: PipeMachine, now: number): boolean {
    for (let part = this.#parts[this.#next]; part !== undefined; part = this.#parts[this.#next]) {
      this.#taken += machine.write(this.#taken === 0 ? part : part.subarray(this.#taken), now);
      if (this.#taken < part.length) return false;
      this.#next += 1;
      this.#taken = 0;
    }
    return true;
  }
}
