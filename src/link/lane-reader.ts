// A body that comes in on one HTTP/2 stream, or for a stretch over a bulk lane (docs/PROTOCOL.md, "Bulk lanes"). Rule: whoever reads it sees one
// stream of bytes, each once and in order, and is the one that everything waits for.

import { constants } from 'node:http2';
import type { Http2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { messageOf } from '../lib/errors.ts';
import { LaneReceiver } from './lane-machine.ts';
import type { LaneSocketOptions } from './lane-end.ts';
import { LaneIn } from './lane-in.ts';
import type { BodyEvents } from './lane-writer.ts';

export class LaneReader extends Readable {
  readonly #stream: Http2Stream & Readable;
  readonly #events: BodyEvents;
  readonly #receiver = new LaneReceiver();
  #lane: LaneIn | undefined;
  /** Came over the lane before its turn. */
  #early: Uint8Array[] = [];
  #isReading = false;
  #isFull = false;
  #hasEnded = false;

  /** @param stream it is not read before this is, and ends with this one as this one does with it */
  constructor(stream: Http2Stream & Readable, events: BodyEvents) {
    super();
    this.#stream = stream;
    this.#events = events;
    stream.once('close', () => {
      this.#lane?.destroy();
      if (!this.#hasEnded) this.destroy();
    });
  }

  /** Goes on over a lane, if it still can. */
  use(lane: LaneSocketOptions): void {
    if (this.destroyed || this.#hasEnded || this.#lane !== undefined) return void lane.stream.destroy();
    const current = new LaneIn(lane, {
      started: (offset) => this.#checked(() => this.#receiver.begins(offset)),
      part: (bytes) => {
        // As it comes, where nobody waits: what is queued first costs as much again.
        if (this.#early.length === 0 && !this.#isFull && this.#receiver.isLanesTurn) this.#hand(bytes);
        else this.#early.push(bytes);
      },
      read: () => {
        if (this.#early.length > 0 || this.#isFull || !this.#receiver.isLanesTurn) this.#flow();
      },
      // The end itself comes over the link, behind everything.
      done: () => undefined,
      fault: (why) => this.#events.fault(why),
      lost: (why) => this.#events.lost(why),
    });
    this.#lane = current;
    this.#flow();
  }

  /** There is no lane any more. @returns up to where the body has come; undefined where the lane never said where it began */
  leave(): number | undefined {
    this.#lane?.destroy();
    this.#lane = undefined;
    this.#early = [];
    const received = this.#receiver.lost();
    this.#flow();
    return received;
  }

  override _read(): void {
    this.#isFull = false;
    if (!this.#isReading) this.#begin();
    this.#flow();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#lane?.destroy();
    if (!this.#hasEnded) this.#stream.destroy();
    done(error);
  }

  #begin(): void {
    this.#isReading = true;
    this.#stream.on('data', (part: Uint8Array) => {
      if (this.destroyed || !this.#checked(() => this.#receiver.fromLink(part.length))) return;
      this.#events.moved(part.length, 'link');
      this.#isFull = !this.push(part);
      if (this.#isFull || this.#early.length > 0) this.#flow();
    });
    this.#stream.once('end', () => {
      this.#hasEnded = true;
      this.#lane?.destroy();
      this.push(null);
    });
  }

  /** Hands on what came over the lane once it is its turn, then lets come what there is room for. */
  #flow(): void {
    while (!this.#isFull && this.#receiver.isLanesTurn) {
      const part = this.#early.shift();
      if (part === undefined) break;
      this.#hand(part);
    }
    if (this.#early.length > 0 || this.#isFull) this.#lane?.pause();
    else this.#lane?.resume();
    if (!this.#isReading) return;
    if (this.#isFull) this.#stream.pause();
    else this.#stream.resume();
  }

  /** The next part, which came over the lane. */
  #hand(part: Uint8Array): void {
    this.#receiver.fromLane(part.length);
    this.#lane?.received(this.#receiver.received);
    this.#events.moved(part.length, 'lane');
    this.#isFull = !this.push(part);
  }

  /** What the other side said may be what cannot be: then the stream is over. */
  #checked(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#events.fault(messageOf(error));
      this.#stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      this.destroy();
      return false;
    }
  }
}
