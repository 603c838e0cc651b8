// One pipe as a stream of Node's, for TLS to run on: the machine of pipe/ bound to carriers, a clock and backpressure.
// Rule: given up means destroyed, never ended, so that nothing above can take a lost link for a finished one.

import { Duplex } from 'node:stream';
import type { Clock, Timer } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { ResumeFrame } from '../pipe/frame-format.ts';
import { PipeMachine } from '../pipe/pipe-machine.ts';
import type { CloseReason, PipeEvent, PipeOptions, PipeStats } from '../pipe/pipe-types.ts';

export interface PipeStreamOptions extends PipeOptions {
  readonly clock: Clock;
  /** No carrier runs any more; the dialler opens another. */
  readonly onDetached: (why: string) => void;
  /** A carrier took over; `resumedAt` is the offset from which our bytes go on. */
  readonly onAttached?: (epoch: number, resumedAt: number) => void;
}

/**
 * Reads what the peer wrote, writes what the peer will read, over any number of carriers. Besides the events of a Duplex it emits `taken`
 * when a carrier has taken bytes.
 */
export class PipeStream extends Duplex {
  readonly #machine: PipeMachine;
  readonly #options: PipeStreamOptions;
  readonly #carriers = new Map<number, Carrier>();
  #timer: Timer | undefined;
  #lastWall = 0;
  #stepped = 0;
  #pending: { rest: Uint8Array; readonly done: (error?: Error | null) => void } | undefined;
  #consumed: (() => void)[] = [];

  constructor(options: PipeStreamOptions) {
    super({ allowHalfOpen: true });
    this.#options = options;
    this.#machine = new PipeMachine(options);
  }

  get stats(): PipeStats {
    return this.#machine.stats;
  }

  /** Bytes that no carrier has taken yet. */
  get unsentBytes(): number {
    return this.#machine.unsentBytes;
  }

  /** The carrier that runs now. */
  get carrier(): Carrier | undefined {
    const number = this.#machine.attachment;
    return number === undefined ? undefined : this.#carriers.get(number);
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
    this.#carriers.set(attachment, carrier);
    carrier.start(
      { takeOutgoing: (max) => this.#take(attachment, max) },
      { receive: (bytes) => this.feed(attachment, bytes), closed: (fault) => this.#lost(attachment, fault) },
    );
    carrier.wake();
    this.#schedule();
  }

  #take(attachment: number, max: number): Uint8Array {
    const bytes = this.#machine.takeOutgoing(attachment, max, this.#now());
    if (this.#machine.isFinished) this.#finish();
    else if (bytes.length > 0) this.emit('taken');
    return bytes;
  }

  #lost(attachment: number, fault: Fault): void {
    this.#carriers.delete(attachment);
    const wasCurrent = this.#machine.attachment === attachment;
    this.#handle(this.#machine.detach(attachment, this.#now()));
    if (wasCurrent && !this.destroyed) this.#options.onDetached(fault.message);
  }

  override _read(): void {
    const waiting = this.#consumed;
    this.#consumed = [];
    for (const resolve of waiting) resolve();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#pending = { rest: chunk, done };
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
    const taken = this.#machine.write(pending.rest, this.#now());
    if (taken === pending.rest.length) {
      this.#pending = undefined;
      pending.done();
    } else pending.rest = pending.rest.subarray(taken);
    this.#wake();
  }

  #handle(events: readonly PipeEvent[]): void {
    for (const event of events) this.#act(event);
    if (this.#machine.isFinished) this.#finish();
    this.#wake();
    this.#schedule();
  }

  #act(event: PipeEvent): void {
    switch (event.type) {
      case 'data':
        if (!this.destroyed && !this.readableEnded) this.push(event.bytes);
        return;
      case 'acknowledged':
        return this.#writeOn();
      case 'attached':
        this.#closeCarriers(event.attachment);
        return this.#options.onAttached?.(event.epoch, event.resumedAt);
      case 'carrier-dead':
        void this.#carriers.get(event.attachment)?.close();
        this.#carriers.delete(event.attachment);
        return this.#options.onDetached(event.why);
      case 'closed':
        return this.#closed(event.reason);
      default:
        return;
    }
  }

  #closed(reason: CloseReason): void {
    // A CLOSE that tells the other side why may still be waiting for its carrier.
    if (this.#machine.isFinished || !this.#machine.hasOutgoing) this.#closeCarriers();
    this.#writeOn();
    if (reason === 'done') this.push(null);
    else this.destroy(faultOf(reason));
  }

  /** Nothing more is carried either way: without an end to read, whoever runs on this stream would wait for one. */
  #finish(): void {
    this.#closeCarriers();
    if (!this.destroyed) this.push(null);
  }

  #closeCarriers(except?: number): void {
    for (const [attachment, carrier] of this.#carriers) {
      if (attachment === except) continue;
      this.#carriers.delete(attachment);
      void carrier.close();
    }
  }

  #wake(): void {
    if (this.#machine.hasOutgoing) this.carrier?.wake();
  }

  #schedule(): void {
    this.#timer?.cancel();
    const now = this.#now();
    const at = this.#machine.nextWakeup();
    if (at === undefined) return;
    this.#timer = this.#options.clock.setTimer(Math.max(0, at - now), () => this.#handle(this.#machine.wakeup(this.#now())));
  }

  /** The machine's time never runs backwards, whatever is done to the wall clock. */
  #now(): number {
    const wall = this.#options.clock.now();
    this.#stepped += Math.max(0, this.#lastWall - wall);
    this.#lastWall = wall;
    return wall + this.#stepped;
  }
}

function faultOf(reason: CloseReason): Fault {
  switch (reason) {
    case 'newer-version':
      return new Fault('newer-protocol', 'the other device speaks an older version of the protocol; update git-xmpp there');
    case 'busy':
      return new Fault('throttled', 'the other device has too many links open');
    case 'unknown-link':
      return new Fault('timeout', 'the other device knows this link no more');
    case 'given-up':
      return new Fault('timeout', 'no way to the other device was found for too long');
    default:
      return new Fault('timeout', 'the link was lost');
  }
}
