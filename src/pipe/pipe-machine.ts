// A byte stream that outlives its carriers: offsets, acknowledgement, replay (docs/decisions/0001-a-pipe-above-xmpp.md).
// Sans IO: bytes and the time (ms, never running backwards) come in, bytes and events go out. Rule: every byte that was written
// is delivered once and in order over any number of carriers, or the pipe is closed and says so.

import { Fault } from '../lib/errors.ts';
import { DelayedAck } from './delayed-ack.ts';
import { PIPE_VERSION } from './frame-format.ts';
import type { CarrierName, Frame, LinkId, PipeRole, ResumeFrame, ToldReason } from './frame-format.ts';
import { receiveFrame } from './inbound.ts';
import { GIVE_UP_MS, Lifecycle } from './lifecycle.ts';
import type { Attachment } from './lifecycle.ts';
import type { PipeEvent, PipeOptions, PipeStats, ResumeOutcome } from './pipe-types.ts';
import { REPLAY_BYTES, Replay } from './replay.ts';
import { Resumption } from './resumption.ts';

/** One end of a pipe. */
export class PipeMachine {
  readonly role: PipeRole;
  readonly linkId: LinkId;
  readonly #replay: Replay;
  readonly #acks: DelayedAck;
  readonly #resumption: Resumption;
  readonly #life: Lifecycle;

  constructor({ role, linkId, replayBytes, budget, giveUpMs, firstOffset = 0 }: PipeOptions) {
    this.role = role;
    this.linkId = linkId;
    this.#replay = new Replay({ maxBytes: replayBytes ?? REPLAY_BYTES, budget, firstOffset });
    this.#acks = new DelayedAck(firstOffset);
    this.#resumption = new Resumption(role, linkId);
    this.#life = new Lifecycle({ replay: this.#replay, resumption: this.#resumption, giveUpMs: giveUpMs ?? GIVE_UP_MS });
  }

  /** The attachment that counts; bytes of any other are ignored. */
  get attachment(): number | undefined {
    return this.#life.current?.number;
  }

  /** Nothing can be written any more, and nothing comes in. */
  get isOver(): boolean {
    return this.#life.isOver;
  }

  /** Over, and its last frame has been taken: the carrier may be closed. */
  get isFinished(): boolean {
    return this.#life.state === 'closed';
  }

  /** How many bytes `write` takes now; when too few, `acknowledged` says that there is more room. */
  get writableBytes(): number {
    return this.isOver ? 0 : this.#replay.roomBytes;
  }

  /** Bytes written that no carrier has taken, or that a lost one took in vain. */
  get unsentBytes(): number {
    return this.#replay.end - this.#replay.sent;
  }

  /** Whether `takeOutgoing` has something to give: the carrier is to be woken. */
  get hasOutgoing(): boolean {
    const { current, state } = this.#life;
    if (current === undefined) return false;
    const mayFill = state === 'running' && current.outbox.mayFill(this.#replay, this.#acks);
    return mayFill || state === 'closing' || !current.outbox.isEmpty;
  }

  get stats(): PipeStats {
    const { end: written, sent, start: acknowledged, again } = this.#replay;
    const { rttMs } = this.#life.roundTrip;
    return { written, sent, acknowledged, received: this.#acks.received, again, epoch: this.#resumption.epoch, rttMs };
  }

  /** @param key 32 bytes of the link's TLS exporter; until it is set, a lost carrier closes the pipe */
  setResumeKey(key: Uint8Array): void {
    this.#resumption.setKey(key);
  }

  /** @param isBusy whether the layer above awaits something (a request is open), so that silence matters */
  setBusy(isBusy: boolean, now: number): void {
    this.#life.setBusy(isBusy, now);
  }

  /**
   * Copies as much of `bytes` as there is room for and returns how much that was; the caller keeps the rest until `acknowledged`.
   * @throws Fault `not-connected` when the pipe is over
   */
  write(bytes: Uint8Array, now: number): number {
    if (this.isOver) throw new Fault('not-connected', 'the pipe is closed');
    const taken = this.#replay.append(bytes);
    this.#life.expect(now);
    return taken;
  }

  /**
   * Puts the pipe on a carrier: the listener on that of an OPEN, the dialler on each that it opened. The one before is dropped.
   * @returns the attachment's number, for `receive`, `takeOutgoing` and `detach`
   * @throws Fault `internal` when the pipe is over, or would have to resume and cannot
   */
  attach(carrier: CarrierName, now: number): number {
    const isFirst = this.#life.state === 'new';
    const mayAttach = isFirst || (this.role === 'dialler' && !this.isOver && this.#resumption.hasKey);
    if (!mayAttach) throw new Fault('internal', 'this pipe cannot be put on a carrier');
    const attached = this.#life.adopt(isFirst ? 'running' : 'resuming', carrier, now);
    if (!isFirst) attached.outbox.push(this.#resumption.ask(carrier, this.#acks.tell()));
    else if (this.role === 'dialler') attached.outbox.push({ type: 'open', version: PIPE_VERSION, linkId: this.linkId });
    return attached.number;
  }

  /**
   * The listener's answer to a RESUME that came first on `carrier`; that this is one of the peer's account is the caller's check.
   * Bytes behind the frame are then handed to `receive`. A refused RESUME leaves everything as it was; one that is signed and yet
   * impossible ends the pipe, and the attachment serves to say so.
   */
  acceptResume(frame: ResumeFrame, carrier: CarrierName, now: number): ResumeOutcome {
    const { state } = this.#life;
    const mayResume = this.role === 'listener' && (state === 'running' || state === 'detached');
    const why = mayResume ? this.#resumption.whyRefused(frame, carrier) : 'this pipe cannot be resumed';
    if (why !== undefined) return { attachment: undefined, events: [{ type: 'refused', why }] };
    const attached = this.#life.adopt('running', carrier, now);
    attached.outbox.push(this.#resumption.answer(frame, this.#acks.tell()));
    try {
      return { attachment: attached.number, events: this.#life.goOn(attached, frame.received, now) };
    } catch (error) {
      return { attachment: attached.number, events: this.#life.blame(error, now) };
    }
  }

  /** The carrier of this attachment is lost; an older one's end means nothing. */
  detach(attachment: number, now: number): PipeEvent[] {
    return this.attachment === attachment ? this.#life.lose(now) : [];
  }

  /** Bytes from the carrier of this attachment, kept and not copied; those of an older one are ignored. */
  receive(attachment: number, bytes: Uint8Array, now: number): PipeEvent[] {
    const { current } = this.#life;
    if (current?.number !== attachment || this.isOver) return [];
    current.decoder.push(bytes);
    const events: PipeEvent[] = [];
    try {
      while (this.attachment === attachment && !this.isOver) {
        const frame = current.decoder.next();
        if (frame === undefined) break;
        events.push(...this.#handle(frame, current, now));
      }
    } catch (error) {
      events.push(...this.#life.blame(error, now));
    }
    this.#life.heard(now);
    return events;
  }

  /** At most `max` bytes for the carrier of this attachment, an empty array when there are none. What is given counts as sent. */
  takeOutgoing(attachment: number, max: number, now: number): Uint8Array {
    const { current, state } = this.#life;
    if (current?.number !== attachment) return new Uint8Array(0);
    if (state !== 'resuming') current.outbox.fill(max, this.#replay, this.#acks);
    this.#life.sayFarewell(current);
    const bytes = current.outbox.take(max);
    this.#life.roundTrip.took(bytes.length);
    this.#life.settle(current, now);
    return bytes;
  }

  /**
   * The path may hold back the end of what was sent until more comes: makes a PING the next outgoing bytes.
   * @returns false when the other end has answered for everything, or the attachment is over
   */
  probe(attachment: number, now: number): boolean {
    return this.attachment === attachment && this.#life.probe(now);
  }

  /**
   * Ends the pipe and gives no event. CLOSE goes behind what was written, where a carrier runs, and has 5 s; without one the pipe
   * just ends, and the other end learns it when it resumes.
   */
  close(reason: ToldReason, now: number): void {
    this.#life.close(reason, now);
  }

  /** When `wakeup` has something to do, in ms of the time that is handed in. To be asked again after every other call. */
  nextWakeup(): number | undefined {
    const ackAt = this.#life.state === 'running' ? this.#acks.nextAt : undefined;
    const next = Math.min(ackAt ?? Infinity, this.#life.nextAt);
    return next === Infinity ? undefined : next;
  }

  /** Time has passed: acknowledgements fall due, a silent carrier is asked or given up. */
  wakeup(now: number): PipeEvent[] {
    this.#acks.wakeup(now);
    return this.#life.wakeup(now);
  }

  #handle(frame: Frame, current: Attachment, now: number): PipeEvent[] {
    if (frame.type === 'close') return this.#life.end(frame.reason, now);
    if (this.#life.state === 'running') {
      if (frame.type === 'pong') this.#life.roundTrip.answered(frame.number, now);
      return receiveFrame(frame, { replay: this.#replay, acks: this.#acks, outbox: current.outbox }, now);
    }
    if (frame.type !== 'resumed') return this.#life.kill(current, `${frame.type} came before RESUMED`, now);
    const why = this.#resumption.whyRefused(frame, current.carrier);
    if (why !== undefined) return this.#life.kill(current, `its RESUMED does not count: ${why}`, now);
    return this.#life.goOn(current, frame.received, now);
  }
}
