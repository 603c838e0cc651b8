// The bytes of a pipe that the other end has not acknowledged. Rule: start <= sent <= end, all three only grow but for `rewind`,
// and no more is kept than the bound: what does not fit is not taken, so the writer waits and nothing is dropped.

import { unsetBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import type { ReplayBudget } from './replay-budget.ts';

/** Bytes kept per pipe unless told otherwise. */
export const REPLAY_BYTES = 4 * 1024 * 1024;
/**
 * A pipe may keep this many whatever the budget says. So a writer that waits always has bytes of its own on the way, and their
 * acknowledgement wakes it: no pipe depends on another one to go on.
 */
export const REPLAY_FLOOR = 64 * 1024;

const SEGMENT = 16 * 1024;
/** Segments that are kept for the next bytes while others are under way: making new ones costs more than the copy into them. */
const MAX_SPARE = 8;

export interface ReplayOptions {
  readonly maxBytes: number;
  readonly budget?: ReplayBudget | undefined;
  /** Offset of the first byte. */
  readonly firstOffset: number;
}

/** A window on a byte stream; offsets count from its beginning. */
export class Replay {
  readonly #maxBytes: number;
  readonly #budget: ReplayBudget | undefined;
  /** Copies in pieces of equal size: many small writes cost no more than one large one, and an offset is found by division. */
  #segments: Uint8Array[] = [];
  #spare: Uint8Array[] = [];
  /** Offset of the first segment's first byte. */
  #origin: number;
  #start: number;
  #sent: number;
  #end: number;
  #again = 0;

  constructor({ maxBytes, budget, firstOffset }: ReplayOptions) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#origin = firstOffset;
    this.#start = firstOffset;
    this.#sent = firstOffset;
    this.#end = firstOffset;
  }

  /** Every byte before this offset is acknowledged and forgotten. */
  get start(): number {
    return this.#start;
  }

  /** Every byte before this offset has been handed to the carrier. */
  get sent(): number {
    return this.#sent;
  }

  /** Every byte before this offset has been appended. */
  get end(): number {
    return this.#end;
  }

  /** Bytes that were handed over once more, for what carried them was lost. */
  get again(): number {
    return this.#again;
  }

  /** How many bytes `append` takes now. */
  get roomBytes(): number {
    const held = this.#end - this.#start;
    const room = Math.min(this.#maxBytes - held, this.#budget?.freeBytes ?? Infinity);
    return Math.max(0, room, Math.min(REPLAY_FLOOR, this.#maxBytes) - held);
  }

  /** Copies as much of `bytes` as there is room for; returns how much that was. */
  append(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.roomBytes);
    for (let at = 0; at < taken; ) {
      const { segment, from } = this.#place(this.#end);
      const piece = bytes.subarray(at, Math.min(taken, at + SEGMENT - from));
      segment.set(piece, from);
      this.#end += piece.length;
      at += piece.length;
    }
    this.#budget?.reserve(taken);
    return taken;
  }

  /** At most `max` bytes that follow those already sent. */
  take(max: number): Uint8Array {
    const bytes = unsetBytes(Math.min(this.#end - this.#sent, max));
    this.takeInto(bytes);
    return bytes;
  }

  /** Fills `target`, which has no more room than there are unsent bytes, with those that follow the ones already sent. */
  takeInto(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      const { segment, from } = this.#place(this.#sent);
      const part = segment.subarray(from, from + Math.min(target.length - at, SEGMENT - from));
      target.set(part, at);
      at += part.length;
      this.#sent += part.length;
    }
  }

  /**
   * Forgets what the other end has; says whether that was anything new.
   * @throws InputFault on an offset that was never sent, or below one acknowledged before
   */
  acknowledge(offset: number): boolean {
    if (offset > this.#sent) throw new InputFault('acknowledgement', 'is beyond what was sent');
    if (offset < this.#start) throw new InputFault('acknowledgement', 'goes back behind an earlier one');
    const count = offset - this.#start;
    this.#start = offset;
    while (this.#start - this.#origin >= SEGMENT) {
      const segment = this.#segments.shift();
      if (segment !== undefined && this.#spare.length < MAX_SPARE) this.#spare.push(segment);
      this.#origin += SEGMENT;
    }
    if (this.#start === this.#end) {
      // A fast carrier empties this many times a second: what was in use is used again.
      this.#spare = [...this.#spare, ...this.#segments].slice(0, MAX_SPARE);
      this.#segments = [];
      this.#origin = this.#start;
    }
    this.#budget?.release(count);
    return count > 0;
  }

  /** Acknowledges `offset` and sends again from there, for what was sent after it is lost. @throws InputFault as `acknowledge` */
  rewind(offset: number): boolean {
    const isNew = this.acknowledge(offset);
    this.#again += this.#sent - offset;
    this.#sent = offset;
    return isNew;
  }

  /** Forgets everything: nobody will ask for it. */
  clear(): void {
    this.#sent = this.#end;
    this.acknowledge(this.#end);
  }

  #place(offset: number): { readonly segment: Uint8Array; readonly from: number } {
    const index = Math.floor((offset - this.#origin) / SEGMENT);
    const segment = this.#segments[index] ?? this.#spare.pop() ?? unsetBytes(SEGMENT);
    this.#segments[index] = segment;
    return { segment, from: offset - this.#origin - index * SEGMENT };
  }
}
