// One pipe as a stream of Node's, for TLS to run on: the machine of pipe/ bound to carriers, a clock and backpressure.
// Rule: given up means destroyed, never ended, so that nothing above can take a lost link for a finished one.

import { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { ResumeFrame } from '../pipe/frame-format.ts';
import { PipeMachine } from '../pipe/pipe-machine.ts';
import type { CloseReason, PipeEvent, PipeOptions, PipeStats } from '../pipe/pipe-types.ts';
import type { CarrierChange } from './carrier-change.ts';
import { DueTimer } from './due-timer.ts';
import { PendingWrite } from './pending-write.ts';
import { PipeCarriers } from './pipe-carriers.ts';
import { faultOf } from './pipe-faults.ts';
import { PipeMeter } from './pipe-meter.ts';
import type { PipeRates } from './pipe-meter.ts';
import { SteadyTime } from './steady-time.ts';

export interface PipeStreamOptions extends PipeOptions {
  readonly clock: Clock;
  /** No carrier runs any more; the dialler opens another. */
  readonly onDetached: (why: string) => void;
  /** A later carrier took over. */
  readonly onAttached?: (change: CarrierChange) => void;
  /** An in-band carrier fell silent: so may have the connection below it. */
  readonly onSuspect?: (() => void) | undefined;
  /** The other end broke the protocol, which ends the pipe; told at most once. */
  readonly onFault?: (why: string) => void;
}

/**
 * Reads what the peer wrote, writes what the peer will read, over any number of carriers. Besides the events of a Duplex it emits `carrier`, with
 * its kind, when one is taken, and `taken` when a carrier has taken bytes.
 */
export class PipeStream extends Duplex {
  readonly #machine: PipeMachine;
  readonly #options: PipeStreamOptions;
  readonly #time: SteadyTime;
  readonly #carriers = new PipeCarriers();
  readonly #timer: DueTimer;
  #pending: PendingWrite | undefined;
  #consumed: (() => void)[] = [];
  readonly #meter = new PipeMeter();

  constructor(options: PipeStreamOptions) {
    super({ allowHalfOpen: true });
    this.#options = options;
    this.#time = new SteadyTime(options.clock);
    this.#machine = new PipeMachine(options);
    this.#timer = new DueTimer(options.clock, () => this.#handle(this.#machine.wakeup(this.#now())));
  }

  get stats(): PipeStats {
    return this.#machine.stats;
  }

  get rates(): PipeRates {
    return this.#meter.rates(this.#now());
  }

  /** Bytes that no carrier has taken yet. */
  get unsentBytes(): number {
    return this.#machine.unsentBytes;
  }

  /** The carrier that runs now. */
  get carrier(): Carrier | undefined {
    return this.#carriers.get(this.#machine.attachment);
  }

  /** Puts the pipe on a carrier: the first, or for the dialler the next. @returns the attachment's number, for `feed` */
  attach(carrier: Carrier): number | undefined {
    if (this.destroyed || this.#machine.isOver) {
      void carrier.close();
      return undefined;
    }
    const attachment = this.#machine.attach({ kind: carrier.kind, sid: carrier.sid }, this.#now());
    this.#run(attachment, carrier);
    return attachment;
  }

  /**
   * The listener's answer to a RESUME that came in on `carrier`, with the bytes behind it.
   * @returns why it was refused, or undefined
   */
  resumeOn(frame: ResumeFrame, carrier: Carrier, rest: Uint8Array): string | undefined {
    const { attachment, events } = this.#machine.acceptResume(frame, { kind: carrier.kind, sid: carrier.sid }, this.#now());
    if (attachment === undefined) return events.map((event) => ('why' in event ? event.why : event.type)).join(', ');
    this.#run(attachment, carrier);
    this.#handle(events);
    if (rest.length > 0) void this.feed(attachment, rest);
    return undefined;
  }

  /** Bytes that came in on the carrier of an attachment; resolves when they were read. */
  feed(attachment: number, bytes: Uint8Array): Promise<void> {
    this.#handle(this.#machine.receive(attachment, bytes, this.#now()));
    if (this.readableLength < this.readableHighWaterMark || this.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#consumed.push(resolve));
  }

  /** From now on the pipe survives the loss of its carrier. @param key 32 bytes of TLS exporter */
  setResumeKey(key: Uint8Array): void {
    this.#machine.setResumeKey(key);
  }

  /** Whether somebody above waits for an answer, so that silence is looked into. */
  setBusy(isBusy: boolean): void {
    this.#machine.setBusy(isBusy, this.#now());
    this.#schedule();
  }

  /** The source and sink of `carrier`; what it carries counts as long as its attachment does. */
  #run(attachment: number, carrier: Carrier): void {
    this.#carriers.add(attachment, carrier);
    carrier.start(
      { takeOutgoing: (max) => this.#take(attachment, max), probe: () => this.#machine.probe(attachment, this.#now()) },
      { receive: (bytes) => this.feed(attachment, bytes), closed: (fault) => this.#lose(attachment, fault) },
    );
    carrier.wake();
    this.emit('carrier', carrier.kind);
    this.#schedule();
  }

  #take(attachment: number, max: number): Uint8Array {
    const bytes = this.#machine.takeOutgoing(attachment, max, this.#now());
    if (this.#machine.isFinished) this.#finish();
    else if (bytes.length > 0) this.emit('taken');
    return bytes;
  }

  #lose(attachment: number, fault: Fault): void {
    const wasCurrent = this.#machine.attachment === attachment;
    this.#carriers.ended(attachment, wasCurrent ? fault.message : undefined);
    this.#handle(this.#machine.detach(attachment, this.#now()));
    if (wasCurrent && !this.destroyed) this.#options.onDetached(fault.message);
  }

  override _read(): void {
    const waiting = this.#consumed;
    this.#consumed = [];
    for (const resolve of waiting) resolve();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#pending = new PendingWrite([chunk], done);
    this.#writeOn();
  }

  /** TLS writes many records at a time. */
  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    const parts = chunks.map(({ chunk }) => chunk);
    this.#pending = new PendingWrite(parts, done);
    this.#writeOn();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#machine.close('done', this.#now());
    this.#handle([]);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#machine.isOver) this.#machine.close('gone-away', this.#now());
    this.#wake();
    this._read();
    this.#schedule();
    done(error);
  }

  #writeOn(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (this.#machine.isOver) {
      this.#pending = undefined;
      return pending.done(new Fault('timeout', 'the link was lost'));
    }
    if (pending.writeTo(this.#machine, this.#now())) {
      this.#pending = undefined;
      pending.done();
    }
    this.#wake();
  }

  #handle(events: readonly PipeEvent[]): void {
    for (const event of events) this.#act(event);
    if (this.#machine.isFinished) this.#finish();
    this.#wake();
    this.#schedule();
  }

  #act(event: PipeEvent): void {
    this.#meter.note(event, this.#now());
    switch (event.type) {
      case 'data':
        if (!this.destroyed && !this.readableEnded) this.push(event.bytes);
        return;
      case 'acknowledged':
        return this.#writeOn();
      case 'attached':
        return this.#attached(event.attachment, event.resumedAt);
      case 'carrier-dead':
        if (this.#carriers.get(event.attachment)?.kind === 'in-band') this.#options.onSuspect?.();
        this.#carriers.drop(event.attachment, event.why);
        return this.#options.onDetached(event.why);
      case 'fault':
        return this.#options.onFault?.(event.why);
      case 'closed':
        return this.#closed(event.reason);
      default:
        return;
    }
  }

  #attached(attachment: number, sent: number): void {
    const change = this.#carriers.runs(attachment, { sent, received: this.stats.received });
    if (change !== undefined) this.#options.onAttached?.(change);
  }

  #closed(reason: CloseReason): void {
    // A CLOSE that tells the other side why may still be waiting for its carrier.
    if (this.#machine.isFinished || !this.#machine.hasOutgoing) this.#carriers.close();
    this.#writeOn();
    if (reason === 'done') this.push(null);
    else this.destroy(faultOf(reason));
  }

  /** Nothing more is carried either way: without an end to read, whoever runs on this stream would wait for one. */
  #finish(): void {
    this.#carriers.close();
    if (!this.destroyed) this.push(null);
  }

  #wake(): void {
    if (this.#machine.hasOutgoing) this.carrier?.wake();
  }

  #schedule(): void {
    const at = this.#machine.nextWakeup();
    this.#time.dueAt = at;
    this.#timer.set(at, this.#now());
  }

  #now(): number {
    return this.#time.now();
  }
}
