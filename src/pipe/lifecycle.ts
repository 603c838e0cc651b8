// Which state a pipe is in, on which carrier, and what leads from one to the next. Rule: a lost carrier never loses the pipe
// once it can be resumed, and a pipe that ends keeps nothing.

import { InputFault } from '../lib/errors.ts';
import { FrameDecoder } from './frame-decoder.ts';
import type { CarrierName, ToldReason } from './frame-format.ts';
import { BRISK, Liveness, PATIENT } from './liveness.ts';
import { Outbox } from './outbox.ts';
import { RoundTrip } from './round-trip.ts';
import type { CloseReason, PipeEvent } from './pipe-types.ts';
import type { Replay } from './replay.ts';
import type { Resumption } from './resumption.ts';

/** A pipe without a running carrier is given up after this, in milliseconds. */
export const GIVE_UP_MS = 60 * 60 * 1000;
/** CLOSE and what goes before it have this long to be taken, in milliseconds. */
export const CLOSE_MS = 5000;

/** What is known: `resuming` has sent RESUME and may send nothing more; `closing` only sends, and its last frame is CLOSE. */
export type PipeState = 'new' | 'running' | 'resuming' | 'detached' | 'closing' | 'closed';

/** One carrier's time with a pipe. */
export interface Attachment {
  readonly number: number;
  readonly carrier: CarrierName;
  readonly decoder: FrameDecoder;
  readonly outbox: Outbox;
}

export interface LifecycleOptions {
  readonly replay: Replay;
  readonly resumption: Resumption;
  /** How long the pipe waits for a carrier to run, in milliseconds. */
  readonly giveUpMs: number;
}

/** The life of one end of a pipe. */
export class Lifecycle {
  readonly #replay: Replay;
  readonly #resumption: Resumption;
  readonly #giveUpMs: number;
  readonly #liveness = new Liveness();
  readonly roundTrip = new RoundTrip();
  #state: PipeState = 'new';
  #current: Attachment | undefined;
  #attachments = 0;
  #isBusy = false;
  /** Since when no carrier runs; one that only tries does not count. */
  #lostAt: number | undefined;
  #closeBy = 0;
  #farewell: ToldReason | undefined;

  constructor({ replay, resumption, giveUpMs }: LifecycleOptions) {
    this.#replay = replay;
    this.#resumption = resumption;
    this.#giveUpMs = giveUpMs;
  }

  get state(): PipeState {
    return this.#state;
  }

  get current(): Attachment | undefined {
    return this.#current;
  }

  get isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  setBusy(isBusy: boolean, now: number): void {
    this.#isBusy = isBusy;
    this.expect(now);
  }

  /** Takes a new carrier in place of the one before. */
  adopt(state: 'running' | 'resuming', carrier: CarrierName, now: number): Attachment {
    if (state === 'resuming') this.#lostAt ??= now;
    this.#attachments += 1;
    this.#state = state;
    this.#current = { number: this.#attachments, carrier, decoder: new FrameDecoder(), outbox: new Outbox() };
    this.#liveness.begin(carrier.kind === 'in-band' ? PATIENT : BRISK, now);
    this.roundTrip.begin();
    this.expect(now);
    return this.#current;
  }

  /** Goes on over the newest carrier, from the offset that the other end has. @throws InputFault when that cannot be */
  goOn({ number: attachment }: Attachment, received: number, now: number): PipeEvent[] {
    this.#state = 'running';
    const isNew = this.#replay.rewind(received);
    // The round trip of a connection of its own is measured at once; in-band, the carrier does that by its blocks.
    if (this.#current !== undefined && this.#current.carrier.kind !== 'in-band') this.#ping(this.#current, now);
    this.#lostAt = undefined;
    const attached: PipeEvent = { type: 'attached', attachment, epoch: this.#resumption.epoch, resumedAt: received };
    return isNew ? [{ type: 'acknowledged', offset: received }, attached] : [attached];
  }

  /** The carrier is of no use any more, though it may not know. */
  kill({ number: attachment }: Attachment, why: string, now: number): PipeEvent[] {
    return [{ type: 'carrier-dead', attachment, why }, ...this.lose(now)];
  }

  /** The carrier is gone. */
  lose(now: number): PipeEvent[] {
    this.#current = undefined;
    if (this.isOver) return this.#finish(now);
    if (!this.#resumption.hasKey) return this.end('lost', now);
    this.#state = 'detached';
    this.#lostAt ??= now;
    this.expect(now);
    return [];
  }

  /** What comes before RESUMED could be anybody's and costs the carrier only; after it, the pipe. */
  blame(error: unknown, now: number): PipeEvent[] {
    if (!(error instanceof InputFault)) throw error;
    const why = error.message;
    if (this.#state === 'resuming' && this.#current !== undefined) return this.kill(this.#current, why, now);
    this.#replay.clear();
    this.close('protocol', now);
    return [
      { type: 'fault', why },
      { type: 'closed', reason: 'protocol' },
    ];
  }

  /** The end, with nobody left to tell. */
  end(reason: CloseReason, now: number): PipeEvent[] {
    return [...this.#finish(now), { type: 'closed', reason }];
  }

  /** The end, as soon as the other side has been told; what is unsent goes first where a carrier runs. */
  close(reason: ToldReason, now: number): void {
    if (this.isOver) return;
    if (this.#state !== 'running') this.#replay.clear();
    this.#state = 'closing';
    this.#farewell = reason;
    this.#closeBy = now + CLOSE_MS;
    this.expect(now);
    if (this.#current === undefined) this.#finish(now);
  }

  /** Sends CLOSE behind the last byte. */
  sayFarewell({ outbox }: Attachment): void {
    if (this.#farewell === undefined || this.#replay.sent < this.#replay.end) return;
    outbox.push({ type: 'close', reason: this.#farewell });
    this.#farewell = undefined;
  }

  /** Whether the carrier has taken all, CLOSE included: then the pipe is finished. */
  settle({ outbox }: Attachment, now: number): void {
    if (this.#state === 'closing' && this.#farewell === undefined && outbox.isEmpty) this.#finish(now);
  }

  /** Bytes have come in. Before RESUMED they could be anybody's and prove nothing. */
  heard(now: number): void {
    if (this.#state === 'running') this.#liveness.heard(now);
    this.expect(now);
  }

  /** Looks again whether silence matters: after anything that was written, acknowledged or attached. */
  expect(now: number): void {
    const isOwed = this.#isBusy || this.#replay.start < this.#replay.end;
    this.#liveness.expect(this.#state === 'resuming' || (this.#state === 'running' && isOwed), now);
  }

  /** A PING is to go out now if something was sent that no answer speaks for; whether it does. */
  probe(now: number): boolean {
    if (this.#state !== 'running' || this.#current === undefined || !this.roundTrip.isOwed) return false;
    this.#ping(this.#current, now);
    return true;
  }

  /** When `wakeup` has something to do. */
  get nextAt(): number {
    if (this.#state === 'closing') return this.#closeBy;
    const giveUpAt = this.#lostAt === undefined ? Infinity : this.#lostAt + this.#giveUpMs;
    return Math.min(giveUpAt, this.#liveness.nextAt ?? Infinity);
  }

  wakeup(now: number): PipeEvent[] {
    if (this.#state === 'closing' && now >= this.#closeBy) return this.#finish(now);
    if (this.#lostAt !== undefined && now >= this.#lostAt + this.#giveUpMs) return this.end('given-up', now);
    const pulse = this.#liveness.wakeup(now);
    if (this.#current === undefined || pulse === 'well') return [];
    if (pulse === 'dead') return this.kill(this.#current, `nothing was heard for ${this.#liveness.unheardMs / 1000} s`, now);
    this.#ping(this.#current, now);
    return [];
  }

  #ping({ outbox }: Attachment, now: number): void {
    outbox.ping(this.roundTrip.ask(now));
  }

  #finish(now: number): PipeEvent[] {
    this.#state = 'closed';
    this.#current = undefined;
    this.#lostAt = undefined;
    this.#replay.clear();
    this.expect(now);
    return [];
  }
}
