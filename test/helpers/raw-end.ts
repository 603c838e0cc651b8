// A peer that speaks frames of the pipe by hand: what no honest agent would send.

import type { Carrier } from '../../src/carriers/carrier.ts';
import { FrameDecoder } from '../../src/pipe/frame-decoder.ts';
import { encodeFrame } from '../../src/pipe/frame-format.ts';
import type { Frame } from '../../src/pipe/frame-format.ts';
import { TestSink, TestSource } from './carrier-ends.ts';
import { until } from './waiting.ts';

export class RawEnd {
  readonly #source = new TestSource();
  readonly #sink = new TestSink();
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
    carrier.start(this.#source, this.#sink);
  }

  send(bytes: Uint8Array): void {
    this.#source.write(bytes);
    this.#carrier.wake();
  }

  say(frame: Frame): void {
    this.send(encodeFrame(frame));
  }

  /** Frames that came in so far. */
  get heard(): Frame[] {
    const decoder = new FrameDecoder();
    decoder.push(this.#sink.bytes);
    const frames: Frame[] = [];
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
    return frames;
  }

  get isClosed(): boolean {
    return this.#sink.faults.length > 0;
  }

  /** The first frame that comes in. */
  async answer(): Promise<Frame | undefined> {
    await until(() => this.heard.length > 0);
    return this.heard[0];
  }

  closed(): Promise<void> {
    return until(() => this.isClosed);
  }
}
