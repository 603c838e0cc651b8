// What stands at the two ends of a carrier in specs: a source with bytes to give, a sink that keeps what it got.

import type { CarrierSink, CarrierSource } from '../../src/carriers/carrier.ts';
import { ByteQueue, concatBytes } from '../../src/lib/bytes.ts';
import type { Fault } from '../../src/lib/errors.ts';

/** A queue to send from. */
export class TestSource implements CarrierSource {
  readonly #queue = new ByteQueue();
  readonly #most: number;
  takenAfterEnd = false;
  isEnded = false;

  /** @param most bytes handed out at once at most */
  constructor(most = Infinity) {
    this.#most = most;
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  takeOutgoing(max: number): Uint8Array {
    this.takenAfterEnd ||= this.isEnded;
    return this.#queue.take(Math.min(max, this.#most));
  }
}

/** Keeps what arrives; consumes at once, or when `consume` resolves. */
export class TestSink implements CarrierSink {
  readonly parts: Uint8Array[] = [];
  readonly faults: Fault[] = [];
  length = 0;
  #consume: () => Promise<void>;

  constructor(consume: () => Promise<void> = () => Promise.resolve()) {
    this.#consume = consume;
  }

  get bytes(): Uint8Array {
    return concatBytes(this.parts);
  }

  receive(bytes: Uint8Array): Promise<void> {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this.#consume();
  }

  closed(fault: Fault): void {
    this.faults.push(fault);
  }
}

/** Bytes that tell their places apart. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}
