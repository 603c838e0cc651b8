// A body that goes out on one HTTP/2 stream, or for a stretch over a bulk lane (docs/PROTOCOL.md, "Bulk lanes"). Rule: whoever writes it sees one
// stream of bytes, whichever way they take; its end is told over the link, and not before all of it has come.

import { Writable } from 'node:stream';
import { messageOf } from '../lib/errors.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { passedBytes } from './bulk-gate.ts';
import { LaneSender } from './lane-machine.ts';
import type { LaneSocketOptions } from './lane-end.ts';
import { LaneOut } from './lane-out.ts';

/** A lane that is ready to carry a body. */
export interface ReadyLane extends LaneSocketOptions {
  /** Whether a limit of the user's own holds for what goes out on it: then it is left. */
  readonly isLimited: () => boolean;
}

export interface BodyEvents {
  /** So many bytes of the body were handed to one way or came by it. */
  readonly moved: (bytes: number, by: 'link' | 'lane') => void;
  /** Its lane is lost: who dialled says so to the other side. */
  readonly lost: (why: string) => void;
  /** The other side did what cannot be. */
  readonly fault: (why: string) => void;
}

/** What may wait for the link when a lane is taken, in bytes. */
const MAX_RESENT = 1 << 20;

export class LaneWriter extends Writable {
  readonly #link: Writable;
  readonly #events: BodyEvents;
  readonly #sender: LaneSender;
  #lane: LaneOut | undefined;
  #isLimited: () => boolean = () => false;
  /** The lane is lost, and nobody has said yet from where to go on. */
  #isWaiting = false;
  /** Bytes that were written to the link, some of them for the second time. */
  #given = 0;
  /** Goes on with the writer. */
  #goOn: (() => void) | undefined;
  /** Goes on with the end. */
  #finish: (() => void) | undefined;

  /** @param link where the body is written that takes no lane; it ends with this one, and this one with it */
  constructor(link: Writable, events: BodyEvents, budget: ReplayBudget | undefined) {
    super({ highWaterMark: link.writableHighWaterMark });
    this.#link = link;
    this.#events = events;
    this.#sender = new LaneSender({ budget });
    link.on('drain', () => this.#drained());
    link.once('close', () => this.destroy());
    if (link.destroyed) this.destroy();
  }

  /** Bytes that the link has passed on, or that have come over a lane. */
  get passedBytes(): number {
    return this.#sender.end - this.#sender.owed - (this.#given - passedBytes(this.#link));
  }

  get isOnLane(): boolean {
    return this.#lane !== undefined;
  }

  /** Goes on over a lane, if it still can. */
  use(lane: ReadyLane): void {
    // While what a lost lane owed still waits for the link, another lane would have more of it kept.
    const isTooLate = this.destroyed || this.writableEnded || this.#isWaiting || this.isOnLane || this.#link.writableLength > MAX_RESENT;
    if (isTooLate || lane.isLimited()) return void lane.stream.destroy();
    this.#isLimited = lane.isLimited;
    this.#lane = new LaneOut(lane, this.#sender.begin(), {
      acknowledged: (offset) => this.#acknowledged(offset),
      drained: () => this.#drained(),
      lost: (why) => this.#lost(why),
    });
    this.#drained();
  }

  /**
   * There is no lane any more, and the other side has so much: the rest goes over the link.
   * @param received undefined where it never heard of the lane's beginning
   * @throws InputFault where that cannot be
   */
  resume(received: number | undefined): void {
    const parts = this.#sender.resume(received);
    this.#lane?.destroy();
    this.#lane = undefined;
    this.#isWaiting = false;
    for (const part of parts) this.#give(part, () => this.#sender.written(part.length));
    this.#drained();
  }

  override _write(chunk: Uint8Array, encoding: string, done: () => void): void {
    if (this.#lane !== undefined && this.#isLimited()) {
      this.#lane.destroy();
      this.#lost('a limit of the user’s own holds for it');
    }
    if (this.#isWaiting) {
      this.#goOn = () => this._write(chunk, encoding, done);
      return;
    }
    const by = this.#lane === undefined ? 'link' : 'lane';
    if (this.#lane === undefined) {
      this.#sender.passed(chunk.length);
      this.#give(chunk);
    } else {
      this.#sender.keep(chunk);
      this.#lane.send(chunk);
    }
    this.#events.moved(chunk.length, by);
    this.#goOn = done;
    this.#drained();
  }

  override _final(done: () => void): void {
    this.#finish = () => this.#link.end(() => done());
    this.#drained();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#lane?.destroy();
    this.#lane = undefined;
    this.#sender.clear();
    if (!this.writableFinished) this.#link.destroy();
    done(error);
  }

  #give(part: Uint8Array, passed?: () => void): void {
    this.#given += part.length;
    this.#link.write(part, passed);
  }

  #acknowledged(offset: number): void {
    try {
      this.#sender.acknowledge(offset);
    } catch (error) {
      this.#events.fault(messageOf(error));
      throw error;
    }
    this.#drained();
  }

  /** There is room, perhaps: the writer goes on, or the end is told once everything has come. */
  #drained(): void {
    if (this.destroyed || this.#isWaiting) return;
    const isFull = this.#lane === undefined ? this.#link.writableNeedDrain : this.#lane.isFull || !this.#sender.hasRoom;
    if (isFull) return;
    const goOn = this.#goOn;
    this.#goOn = undefined;
    if (goOn !== undefined) return goOn();
    if (this.#finish === undefined || this.#sender.owed > 0) return;
    const finish = this.#finish;
    this.#finish = undefined;
    this.#lane?.done();
    this.#lane = undefined;
    finish();
  }

  #lost(why: string): void {
    this.#lane = undefined;
    this.#isWaiting = true;
    this.#events.lost(why);
  }
}
