// The end of a bulk lane that receives (docs/PROTOCOL.md, "Bulk lanes"). Rule: what has come is acknowledged soon, and what nobody has room for is
// left with the kernel.

import type { Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { LaneEnd } from './lane-end.ts';
import type { LaneSocketOptions } from './lane-end.ts';
import { encodeAck, LaneDecoder } from './lane-format.ts';

/** What is received is acknowledged after so many bytes, or so much later, in milliseconds. */
const ACK_BYTES = 256 * 1024;
const ACK_MS = 10;

export interface LaneInEvents {
  /** Where it begins. */
  readonly started: (offset: number) => void;
  /** Bytes that are next; they are kept until `read`. */
  readonly part: (bytes: Uint8Array) => void;
  /** What has come may be used. */
  readonly read: () => void;
  /** Nothing more comes, and nothing is lost. */
  readonly done: () => void;
  /** The other side did what cannot be; `lost` follows. */
  readonly fault: (why: string) => void;
  readonly lost: (why: string) => void;
}

/** The end that receives. */
export class LaneIn extends LaneEnd {
  readonly #decoder = new LaneDecoder();
  readonly #events: LaneInEvents;
  /** As far as the other end is to know, and knows; undefined before it said where it begins. */
  #received: number | undefined;
  #acked = 0;
  #ackTimer: Timer | undefined;
  #isPaused = false;

  constructor(options: LaneSocketOptions, events: LaneInEvents) {
    super(options, events.lost);
    this.#events = events;
    options.stream.on('data', (bytes: Uint8Array) => {
      this.heard();
      if (!this.isOver) this.#take(bytes);
    });
  }

  #take(bytes: Uint8Array): void {
    const { started, part, read, done, fault } = this.#events;
    try {
      for (const said of this.#decoder.receive(bytes)) {
        if (said.type === 'start') {
          [this.#received, this.#acked] = [said.offset, said.offset];
          started(said.offset);
        }
        else if (said.type === 'part') part(said.bytes);
        else {
          this.finish();
          done();
        }
      }
      read();
    } catch (error) {
      const why = messageOf(error);
      fault(why);
      this.lose(why);
    }
  }

  /** Every byte before `offset` has come: the other end is told, by and by. */
  received(offset: number): void {
    this.#received = offset;
    if (offset - this.#acked >= ACK_BYTES) return this.beat();
    this.#ackTimer ??= this.clock.setTimer(ACK_MS, () => {
      this.#ackTimer = undefined;
      if (this.#acked < (this.#received ?? 0)) this.beat();
    });
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.stream.resume();
  }

  protected override get isListening(): boolean {
    return !this.#isPaused;
  }

  protected override beat(): void {
    if (this.#received === undefined || this.isOver) return;
    this.#acked = this.#received;
    this.stream.write(encodeAck(this.#received));
    this.said();
  }

  protected override ended(): void {
    this.#ackTimer?.cancel();
  }
}
