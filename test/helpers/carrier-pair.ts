// Two carriers joined in memory, which keep the contract of carriers/carrier.ts: bytes in order and once, a bounded window that only
// what was consumed opens again, and no byte after the end. Rule: nothing happens in the caller's own turn, as on a network.

import type { AddressClass, Carrier, CarrierKind, CarrierSink, CarrierSource, CarrierStats } from '../../src/carriers/carrier.ts';
import { Fault } from '../../src/lib/errors.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';

export interface CarrierPairOptions {
  /** The address of the end that opened, as the other sees it. */
  readonly from?: FullJid;
  readonly to?: FullJid;
  /** Default in-band. */
  readonly kind?: CarrierKind;
  /** Largest piece, in bytes. */
  readonly block?: number;
  /** Pieces that may be under way in one direction. */
  readonly window?: number;
  /** Called with the number of bytes that arrived in both directions so far. */
  readonly onBytes?: (total: number) => void;
}

export interface CarrierPair {
  /** The end that opened. */
  readonly near: MemoryCarrier;
  readonly far: MemoryCarrier;
  /** The network is gone: both ends learn it, what is under way is lost. */
  cut(): void;
  /** Bytes of both directions that arrived. */
  readonly total: number;
}

let count = 0;

export const NEAR_ADDRESS = parseFullJid('anna@example.org/git-xmpp-near');
export const FAR_ADDRESS = parseFullJid('anna@example.org/git-xmpp-far');

export function makeCarrierPair(options: CarrierPairOptions = {}): CarrierPair {
  count += 1;
  const sid = `memory-${count}`;
  const near = new MemoryCarrier(sid, options.to ?? FAR_ADDRESS, options);
  const far = new MemoryCarrier(sid, options.from ?? NEAR_ADDRESS, options);
  let total = 0;
  const onBytes = (bytes: number): void => {
    total += bytes;
    options.onBytes?.(total);
  };
  near.join(far, onBytes);
  far.join(near, onBytes);
  return {
    near,
    far,
    cut: () => {
      const fault = new Fault('not-connected', 'the carrier was cut');
      near.fail(fault);
      far.fail(fault);
    },
    get total() {
      return total;
    },
  };
}

/** One end. */
export class MemoryCarrier implements Carrier {
  readonly kind: CarrierKind;
  readonly addressClass: AddressClass;
  /** As an in-band carrier whose server is fast. */
  mayGrow = false;
  readonly sid: string;
  readonly peer: FullJid;
  readonly #block: number;
  readonly #window: number;
  #other: MemoryCarrier | undefined;
  #onBytes: (bytes: number) => void = () => undefined;
  #source: CarrierSource | undefined;
  #sink: CarrierSink | undefined;
  #early: (() => void)[] = [];
  #inbound: Promise<void> = Promise.resolve();
  #underWay = 0;
  #isPumpDue = false;
  #isOver = false;
  #bytesIn = 0;
  #bytesOut = 0;
  /** Takes nothing while it is so: a server that throttles. */
  isHeld = false;

  constructor(sid: string, peer: FullJid, { kind = 'in-band', block = 16_384, window = 4 }: CarrierPairOptions) {
    this.kind = kind;
    this.addressClass = kind === 'in-band' ? 'server' : kind === 'socks5' ? 'proxy' : 'lan';
    this.sid = sid;
    this.peer = peer;
    this.#block = block;
    this.#window = window;
  }

  join(other: MemoryCarrier, onBytes: (bytes: number) => void): void {
    this.#other = other;
    this.#onBytes = onBytes;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get stats(): CarrierStats {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, srttMs: 1 };
  }

  start(source: CarrierSource, sink: CarrierSink): void {
    if (this.#sink !== undefined) throw new Fault('internal', 'a carrier was started twice');
    this.#source = source;
    this.#sink = sink;
    for (const late of this.#early.splice(0)) late();
    this.wake();
  }

  wake(): void {
    if (this.#isPumpDue || this.#isOver || this.#source === undefined || this.isHeld) return;
    this.#isPumpDue = true;
    setImmediate(() => this.#pump());
  }

  close(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#isOver = true;
    const other = this.#other;
    // Behind what is just being taken: a source may close its carrier as it hands out its last bytes.
    queueMicrotask(() => setImmediate(() => void other?.receive(undefined)));
    return Promise.resolve();
  }

  /** Ends this end without a word to the other. */
  fail(fault: Fault): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const tell = (): void => this.#sink?.closed(fault);
    if (this.#sink === undefined) this.#early.push(tell);
    else setImmediate(tell);
  }

  /** What the other end sent; undefined for its end. Resolves when it is consumed, or lost. */
  receive(bytes: Uint8Array | undefined): Promise<void> {
    const arrived = this.#inbound.then(() => this.#consume(bytes));
    this.#inbound = arrived;
    return arrived;
  }

  async #consume(bytes: Uint8Array | undefined): Promise<void> {
    if (this.#sink === undefined) await new Promise<void>((resolve) => this.#early.push(resolve));
    if (this.#isOver || this.#sink === undefined) return;
    if (bytes === undefined) {
      this.#isOver = true;
      this.#sink.closed(new Fault('not-connected', 'the other end closed the carrier'));
      return;
    }
    this.#bytesIn += bytes.length;
    this.#onBytes(bytes.length);
    if (!this.#isOver) await this.#sink.receive(bytes);
  }

  #pump(): void {
    this.#isPumpDue = false;
    while (!this.#isOver && !this.isHeld && this.#underWay < this.#window) {
      const bytes = this.#source?.takeOutgoing(this.#block) ?? new Uint8Array(0);
      if (bytes.length === 0) return;
      if (bytes.length > this.#block) throw new Fault('internal', 'the source gave more than there is room for');
      this.#underWay += 1;
      this.#bytesOut += bytes.length;
      // A copy: the bytes are the carrier's, and what the source does with its own must not show.
      const sent = Uint8Array.from(bytes);
      setImmediate(() => {
        void this.#other?.receive(sent).then(() => {
          this.#underWay -= 1;
          this.wake();
        });
      });
    }
  }
}
