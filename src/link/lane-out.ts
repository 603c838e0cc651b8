// The end of a bulk lane that sends (docs/PROTOCOL.md, "Bulk lanes"). Rule: it keeps nothing: what is not acknowledged is its writer's to send again.

import type { Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { LaneEnd } from './lane-end.ts';
import type { LaneSocketOptions } from './lane-end.ts';
import { AckDecoder, encodeDone, encodePartHeader, encodeStart } from './lane-format.ts';

/** What may wait for the kernel before who sends has to wait, in bytes. */
const WAITING_BYTES = 512 * 1024;
/** Through a proxy that may hold back the end of what it read (carriers/tcp-carrier.ts): when something follows it, in milliseconds; each time three times later. */
const PUSH_MS = 5;
const MAX_PUSH_MS = 2_000;

export interface LaneOutEvents {
  /** The other end has every byte before `offset`. @throws InputFault where that cannot be */
  readonly acknowledged: (offset: number) => void;
  /** There is room again. */
  readonly drained: () => void;
  readonly lost: (why: string) => void;
}

/** The end that sends. */
export class LaneOut extends LaneEnd {
  readonly #decoder = new AckDecoder();
  readonly #isProxied: boolean;
  #push: Timer | undefined;
  /** Offset behind what was sent. */
  #end: number;

  constructor(options: LaneSocketOptions, offset: number, events: LaneOutEvents) {
    super(options, events.lost);
    this.#isProxied = options.isProxied;
    this.#end = offset;
    const { stream } = options;
    stream.on('data', (bytes: Uint8Array) => {
      this.heard();
      if (this.isOver) return;
      try {
        const acked = this.#decoder.receive(bytes);
        if (acked === undefined) return;
        if (acked === this.#end) this.#push?.cancel();
        events.acknowledged(acked);
      } catch (error) {
        this.lose(messageOf(error));
      }
    });
    stream.on('drain', events.drained);
    stream.write(encodeStart(offset));
  }

  /** Whether `drained` will say when to go on. */
  get isFull(): boolean {
    return this.stream.writableNeedDrain && this.stream.writableLength >= WAITING_BYTES;
  }

  send(part: Uint8Array): void {
    const { stream } = this;
    stream.cork();
    stream.write(encodePartHeader(part.length));
    stream.write(part);
    stream.uncork();
    this.#end += part.length;
    this.said();
    if (this.#isProxied) this.#pushAfter(PUSH_MS);
  }

  /** All is acknowledged. */
  done(): void {
    this.stream.write(encodeDone());
    this.finish();
  }

  /** It reads acknowledgements always. */
  protected override get isListening(): boolean {
    return true;
  }

  protected override beat(): void {
    this.stream.write(encodePartHeader(0));
    this.said();
  }

  protected override ended(): void {
    this.#push?.cancel();
  }

  /** Until an acknowledgement of everything ends the lane, or more is sent. */
  #pushAfter(ms: number): void {
    this.#push?.cancel();
    this.#push = this.clock.setTimer(ms, () => {
      this.beat();
      this.#pushAfter(Math.min(3 * ms, MAX_PUSH_MS));
    });
  }
}
