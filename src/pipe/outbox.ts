// What goes out on one carrier, pulled by it. Rule: nothing queues here but what one block needs; unsent bytes stay in the replay
// and can move to another carrier, and of PINGs and PONGs only the newest counts.

import { ByteQueue } from '../lib/bytes.ts';
import type { DelayedAck } from './delayed-ack.ts';
import { DATA_OVERHEAD, MAX_DATA, encodeData, encodeFrame } from './frame-format.ts';
import type { Frame } from './frame-format.ts';
import type { Replay } from './replay.ts';

/** A DATA frame at the end of a block carries at least this many bytes, or waits for the next block. */
const MIN_PIECE = 64;

/** Frames on their way to the carrier. */
export class Outbox {
  readonly #queue = new ByteQueue();
  #pong: number | undefined;
  #ping: number | undefined;

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Whether `fill` would find anything. */
  mayFill(replay: Replay, acks: DelayedAck): boolean {
    return this.#pong !== undefined || this.#ping !== undefined || acks.isDue || replay.sent < replay.end;
  }

  push(frame: Frame): void {
    this.#queue.push(encodeFrame(frame));
  }

  ping(number: number): void {
    this.#ping = number;
  }

  pong(number: number): void {
    this.#pong = number;
  }

  /** Queues whole frames until `max` bytes are there or nothing is left: answers first, then data cut to fit. */
  fill(max: number, replay: Replay, acks: DelayedAck): void {
    if (this.#queue.length >= max) return;
    if (this.#pong !== undefined) this.push({ type: 'pong', number: this.#pong });
    if (this.#ping !== undefined) this.push({ type: 'ping', number: this.#ping });
    this.#pong = undefined;
    this.#ping = undefined;
    if (acks.isDue || (acks.isOwed && replay.sent < replay.end)) this.push({ type: 'ack', received: acks.tell() });
    for (let size = this.#pieceSize(max, replay); size > 0; size = this.#pieceSize(max, replay)) {
      const offset = replay.sent;
      this.#queue.push(encodeData(offset, size, (bytes) => replay.takeInto(bytes)));
    }
  }

  /** At most `max` bytes of what is queued; a frame may be cut here and go on in the next block. Who takes much at once gets it uncopied, in parts. */
  take(max: number): Uint8Array {
    return max > MAX_DATA ? this.#queue.takePart(max) : this.#queue.take(max);
  }

  /** Bytes for the next DATA frame, 0 for none in this block. A block smaller than any frame gets one all the same. */
  #pieceSize(max: number, replay: Replay): number {
    const unsent = replay.end - replay.sent;
    const least = Math.min(unsent, MIN_PIECE);
    const room = max - this.#queue.length - DATA_OVERHEAD;
    if (room < least) return this.isEmpty ? least : 0;
    return Math.min(unsent, room, MAX_DATA);
  }
}
