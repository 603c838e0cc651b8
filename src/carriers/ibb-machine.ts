// One in-band stream: sequence numbers, the order of blocks, what may be under way and what may wait (XEP-0047 §2.2, §2.3).
// Rule: a block is sent once and taken once, in order; the first thing that goes wrong ends the stream.

import { DEFAULT_BLOCK_SIZE, REFUSALS, SEQUENCE_MODULUS } from './ibb-format.ts';
import type { Refusal } from './ibb-format.ts';
import type { Shown } from './block-size-machine.ts';
import { SendWindow } from './window-machine.ts';
import type { SentBlock } from './window-machine.ts';

/** What may wait for a consumer: more than any sender of ours has under way. */
const WAITING_ATTACHED = { blocks: 128, bytes: 1024 * 1024 };
/** What may wait before anybody has taken the stream; a sender's first window fits, whatever its blocks. */
const WAITING_UNATTACHED = { blocks: 64, bytes: 64 * 1024 };

/** A block to send, with its sequence number. */
export interface OutgoingBlock extends SentBlock {
  readonly seq: number;
}

/** Both directions of one stream. */
export class IbbMachine {
  readonly blockSize: number;
  readonly #window: SendWindow;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #isAttached = false;
  #nextOut = 0;
  #nextIn = 0;
  #waiting = { blocks: 0, bytes: 0 };

  /**
   * @param blockSize bytes before base64 agreed with the peer
   * @param largest ours stay within 4096, which every server takes, or within this where the path shows that nothing throttles it
   */
  constructor(blockSize: number, largest = DEFAULT_BLOCK_SIZE) {
    this.blockSize = blockSize;
    this.#window = new SendWindow(Math.min(blockSize, DEFAULT_BLOCK_SIZE), Math.min(blockSize, largest));
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get srttMs(): number {
    return this.#window.srttMs;
  }

  /** What the path has shown so far. */
  get shown(): Shown {
    return this.#window.shown;
  }

  /** How long the answer to a block may take, in milliseconds. */
  get timeoutMs(): number {
    return this.#window.timeoutMs;
  }

  /** Full blocks that may be under way at once. */
  get windowBlocks(): number {
    return this.#window.blocks;
  }

  /** Bytes that the next block may hold; 0 while the window is full or the stream ends. */
  room(): number {
    return this.isOpen ? this.#window.room() : 0;
  }

  /** Counts a block of `size` bytes as sent at `now`. */
  send(size: number, now: number): OutgoingBlock {
    const seq = this.#nextOut;
    this.#nextOut = (seq + 1) % SEQUENCE_MODULUS;
    return { seq, ...this.#window.send(size, now) };
  }

  /** The peer has consumed `block`. */
  acknowledge(block: OutgoingBlock, now: number): void {
    this.#window.acknowledge(block, now);
  }

  /** Somebody consumes from now on, so more may wait. */
  attach(): void {
    this.#isAttached = true;
  }

  /** A block came in: undefined when it is the next one, else the error that answers it and ends the stream. */
  receive(seq: number, size: number): Refusal | undefined {
    if (!this.isOpen) return REFUSALS.unknownStream;
    if (seq !== this.#nextIn) return REFUSALS.outOfOrder;
    const limit = this.#isAttached ? WAITING_ATTACHED : WAITING_UNATTACHED;
    const waiting = { blocks: this.#waiting.blocks + 1, bytes: this.#waiting.bytes + size };
    if (waiting.blocks > limit.blocks || waiting.bytes > limit.bytes) return REFUSALS.tooMuch;
    this.#waiting = waiting;
    this.#nextIn = (seq + 1) % SEQUENCE_MODULUS;
    return undefined;
  }

  /** A block of `size` bytes that came in has been consumed. */
  consume(size: number): void {
    this.#waiting = { blocks: this.#waiting.blocks - 1, bytes: this.#waiting.bytes - size };
  }

  /** The peer closes: nothing more goes out or comes in, what waits is still consumed. */
  drain(): void {
    if (this.isOpen) this.#state = 'closing';
  }

  /** The stream is over, in both directions. */
  end(): void {
    this.#state = 'closed';
  }
}
