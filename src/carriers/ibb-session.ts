// One in-band stream on the connection: bytes go out in blocks, blocks are answered once consumed (XEP-0047 §2.2, §2.3).
// Rule: a block is never sent twice; whatever goes wrong with one ends the stream, and the pipe above replays on the next.

import type { Element } from 'ltx';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault, asFault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import { Serial } from '../lib/serial.ts';
import type { Connection } from '../xmpp/connection.ts';
import type { Carrier, CarrierSink, CarrierSource, CarrierStats } from './carrier.ts';
import type { Shown } from './block-size-machine.ts';
import { DEFAULT_BLOCK_SIZE, REFUSALS, formatClose, formatData, parseData } from './ibb-format.ts';
import type { DataBlock } from './ibb-format.ts';
import { IbbMachine } from './ibb-machine.ts';
import { asRefusal, faultOfStream, refuse } from './stanza-errors.ts';

/** The peer has this long to answer `<close/>`, and our consumer to take what came before one, in milliseconds. */
const CLOSE_MS = 10_000;

/** A server that takes no large block says so within this, in milliseconds. */
const TRIAL_MS = 30_000;

export interface IbbSessionOptions {
  readonly sid: string;
  readonly peer: FullJid;
  /** Bytes before base64 agreed with the peer. */
  readonly blockSize: number;
  /** Bytes before base64 of our own blocks at most, where the path shows that nothing throttles it; default 4096. */
  readonly largest?: number | undefined;
  readonly connection: Pick<Connection, 'iq'>;
  readonly clock: Clock;
  /** Called once, when the stream is over in both directions; with no fault when it was closed on this side. */
  readonly onEnd: (session: IbbSession, fault: Fault | undefined) => void;
  /** The peer sent what the stream does not allow; the words tell the kind. */
  readonly onWrong?: ((why: string) => void) | undefined;
}

/** A carrier made of XEP-0047 blocks. */
export class IbbSession implements Carrier {
  readonly kind = 'in-band';
  readonly addressClass = 'server';
  readonly sid: string;
  readonly peer: FullJid;
  readonly #options: IbbSessionOptions;
  readonly #machine: IbbMachine;
  readonly #inbound = new Serial();
  readonly #attached: Promise<CarrierSink | undefined>;
  #attach: (sink: CarrierSink | undefined) => void = () => undefined;
  #source: CarrierSource | undefined;
  #sink: CarrierSink | undefined;
  #fault: Fault | undefined;
  #closing: Promise<void> | undefined;
  #isPumpDue = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #firstLargeAt: number | undefined;

  constructor(options: IbbSessionOptions) {
    this.#options = options;
    this.sid = options.sid;
    this.peer = options.peer;
    this.#machine = new IbbMachine(options.blockSize, options.largest);
    this.#attached = new Promise((resolve) => {
      this.#attach = resolve;
    });
  }

  get stats(): CarrierStats {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, srttMs: this.#machine.srttMs };
  }

  get isStarted(): boolean {
    return this.#sink !== undefined;
  }

  /** Full blocks that may be under way at once, for status and specs. */
  get windowBlocks(): number {
    return this.#machine.windowBlocks;
  }

  /** What the path has shown so far, for who decides on larger blocks. */
  get shown(): Shown {
    return this.#machine.shown;
  }

  /** Bytes before base64 agreed with the peer. */
  get blockSize(): number {
    return this.#machine.blockSize;
  }

  /** Whether the first block larger than every server takes went out just now, so that an error may be about it. */
  get isTryingLarge(): boolean {
    return this.#firstLargeAt !== undefined && this.#options.clock.now() - this.#firstLargeAt < TRIAL_MS;
  }

  start(source: CarrierSource, sink: CarrierSink): void {
    if (this.isStarted) throw new Fault('internal', 'an in-band stream was started twice');
    this.#source = source;
    this.#sink = sink;
    this.#machine.attach();
    this.#attach(sink);
    const fault = this.#fault;
    if (fault !== undefined) queueMicrotask(() => sink.closed(fault));
    this.wake();
  }

  wake(): void {
    if (this.#isPumpDue || this.#source === undefined || !this.#machine.isOpen) return;
    this.#isPumpDue = true;
    setImmediate(() => this.#pump());
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    if (this.#machine.isClosed) return Promise.resolve();
    this.#over();
    this.#closing = this.#sendClose();
    return this.#closing;
  }

  /**
   * A `<data/>` of the peer, checked before this returns; resolves when its bytes are consumed, in order of arrival.
   * @throws StanzaFault to be answered with
   */
  async receiveData(element: Element): Promise<undefined> {
    const block = this.#checkData(element);
    this.#bytesIn += block.bytes.length;
    await this.#inbound.run(() => this.#consume(block.bytes));
    return undefined;
  }

  /** A `<close/>` of the peer; resolves when what came before it is consumed. */
  async receiveClose(): Promise<undefined> {
    this.#machine.drain();
    const drained = this.#inbound.run(() => Promise.resolve());
    const late = (): Fault => new Fault('timeout', 'what came before the end is not consumed');
    await withDeadline(drained, CLOSE_MS, this.#options.clock, late).catch(() => undefined);
    this.end(new Fault('not-connected', `${this.peer} closed the in-band stream`));
    return undefined;
  }

  /** Ends the stream with no word to the peer: the connection is gone, or the peer knows. */
  end(fault: Fault): void {
    if (this.#machine.isClosed) return;
    this.#fault = fault;
    this.#over();
    this.#sink?.closed(fault);
  }

  /** Asks the peer and waits for its result; the stanza is on its way when this returns. */
  async request(payload: Element, timeoutMs: number): Promise<void> {
    const { connection, clock } = this.#options;
    const late = (): Fault => new Fault('timeout', `${this.peer} did not answer in-band within ${timeoutMs / 1000} s`);
    await withDeadline(connection.iq('set', this.peer, payload, { timeoutMs }), timeoutMs, clock, late);
  }

  #over(): void {
    this.#machine.end();
    this.#attach(undefined);
    this.#options.onEnd(this, this.#fault);
  }

  /** While the peer's close is drained its answers say nothing new, and what it sent is still to be consumed. */
  #fail(fault: Fault): void {
    if (!this.#machine.isOpen) return;
    this.end(fault);
    this.#closing = this.#sendClose();
  }

  /** Not before the present call is done: a source may close the stream as it hands out its last bytes, and they go first. */
  async #sendClose(): Promise<void> {
    await Promise.resolve();
    await this.request(formatClose(this.sid), CLOSE_MS).catch(() => undefined);
  }

  #pump(): void {
    this.#isPumpDue = false;
    try {
      for (let room = this.#machine.room(); room > 0; room = this.#machine.room()) {
        const bytes = this.#source?.takeOutgoing(room);
        if (bytes === undefined || bytes.length === 0) return;
        if (bytes.length > room) throw new Fault('internal', `the source gave ${bytes.length} bytes where ${room} fit`);
        this.#sendBlock(bytes);
      }
    } catch (error) {
      this.#fail(asFault(error, 'in-band stream'));
    }
  }

  #sendBlock(bytes: Uint8Array): void {
    const { clock } = this.#options;
    const block = this.#machine.send(bytes.length, clock.now());
    this.#bytesOut += bytes.length;
    if (bytes.length > DEFAULT_BLOCK_SIZE) this.#firstLargeAt ??= clock.now();
    this.request(formatData(this.sid, { seq: block.seq, bytes }), this.#machine.timeoutMs).then(
      () => {
        this.#machine.acknowledge(block, clock.now());
        this.wake();
      },
      (error: unknown) => this.#fail(faultOfStream(error, this.peer)),
    );
  }

  #checkData(element: Element): DataBlock {
    try {
      const block = parseData(element, this.#machine.blockSize);
      const refusal = this.#machine.receive(block.seq, block.bytes.length);
      if (refusal !== undefined) throw refuse(refusal);
      return block;
    } catch (error) {
      const refusal = asRefusal(error);
      this.#options.onWrong?.(`a wrong block: ${refusal.message}`);
      if (this.#machine.isOpen) this.#fail(new Fault('server', `${this.peer} sent a wrong in-band block: ${refusal.message}`));
      throw refusal;
    }
  }

  async #consume(bytes: Uint8Array): Promise<void> {
    const sink = await this.#attached;
    if (sink === undefined || this.#machine.isClosed) throw refuse(REFUSALS.unknownStream);
    try {
      await sink.receive(bytes);
    } catch (error) {
      this.#fail(new Fault('internal', 'the bytes of an in-band block could not be used', { cause: error }));
      throw refuse(REFUSALS.unknownStream);
    }
    this.#machine.consume(bytes.length);
  }
}
