// Binds the order of bulk-machine.ts to the streams of one HTTP/2 session and the pipe under it. Rule: whatever writes a body goes through
// here, waits here for its turn and is told to wait itself; with its stream it ends, so nothing ever hangs in the gate.

import type { Http2Session, Http2Stream } from 'node:http2';
import { Writable } from 'node:stream';
import { ByteQueue } from '../lib/bytes.ts';
import { steadyNow } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { BulkMachine, Foreground } from './bulk-machine.ts';
import type { Grant } from './bulk-machine.ts';
import type { PipeStream } from './pipe-stream.ts';

/** What a stream may have waiting before its writer has to wait, in bytes. */
const WAITING_BYTES = 128 * 1024;
/** What HTTP/2 has not passed on after so many milliseconds waits for its receiver, and keeps nobody else waiting. */
const STUCK_MS = 100;

/** Pieces up to here are copied together, so that each is one frame; larger ones are passed on in the parts in which they came. */
const WHOLE_BYTES = 16 * 1024;

/** What the gate asks of a pipe. */
type Pipe = Pick<PipeStream, 'unsentBytes' | 'stats' | 'carrier'> & { on(event: 'taken', listener: () => void): unknown };

/** Each session's gate: who writes to a stream knows the session, and nothing else of the link. */
const gates = new WeakMap<Http2Session, BulkGate>();

/** The gates of all links of an agent, which share what its server lets in. */
export class GateGroup {
  readonly foreground = new Foreground();
  readonly clock: Clock;
  readonly now: () => number;
  readonly #members = new Set<BulkGate>();

  constructor(clock: Clock) {
    this.clock = clock;
    this.now = steadyNow(clock);
  }

  /** @returns what takes it out again */
  join(gate: BulkGate): () => void {
    this.#members.add(gate);
    return () => this.#members.delete(gate);
  }

  /** Something that held bulk back is over: all look anew. */
  pump(): void {
    for (const gate of this.#members) gate.pump();
  }
}

/** From now on all bodies that are written to streams of `session` wait for their turn in `pipe`. */
export function gateBulk(session: Http2Session, pipe: Pipe, group: GateGroup): void {
  const gate = new BulkGate(pipe, group);
  gates.set(session, gate);
  session.once('close', group.join(gate));
}

/** Counts a stream that has just begun; while it is small, bulk waits for it. */
export function watchStream(stream: Http2Stream): void {
  gateOf(stream)?.watch(stream);
}

/** Where to write the body of `stream`: through its session's gate, where there is one. Its end ends the stream, the stream's end destroys it. */
export function bulkWriter(stream: Http2Stream & Writable): Writable {
  const gate = gateOf(stream);
  return gate === undefined ? stream : new GatedBody(stream, gate);
}

/** What was given on so far of what was written to a `bulkWriter`, or to a body that may take a lane. */
export function passedBytes(body: Writable): number {
  return 'passedBytes' in body && typeof body.passedBytes === 'number' ? body.passedBytes : 0;
}

function gateOf({ session }: Http2Stream): BulkGate | undefined {
  return session === undefined ? undefined : gates.get(session);
}

/** One link end. */
class BulkGate {
  readonly #machine: BulkMachine;
  readonly #pipe: Pipe;
  readonly #group: GateGroup;
  readonly #now: () => number;
  readonly #bodies = new Map<object, GatedBody>();
  /** Granted, and not yet passed on by HTTP/2. */
  readonly #onTheWay = new Map<object, { readonly bytes: number; readonly at: number }>();
  #carrier: unknown;
  #timer: Timer | undefined;
  #wakeAt: number | undefined;

  constructor(pipe: Pipe, group: GateGroup) {
    this.#machine = new BulkMachine(group.foreground);
    this.#pipe = pipe;
    this.#group = group;
    this.#now = group.now;
    pipe.on('taken', () => {
      this.#machine.taken(pipe.stats.sent, this.#now());
      this.pump();
    });
  }

  watch(stream: Http2Stream): void {
    this.#machine.opened(stream, this.#now());
    stream.once('close', () => {
      this.#machine.closed(stream, this.#now());
      this.#bodies.delete(stream);
      this.#onTheWay.delete(stream);
      this.#group.pump();
    });
  }

  /** `body` has so many bytes to write to its stream. */
  want(stream: Http2Stream, body: GatedBody, bytes: number): void {
    this.#bodies.set(stream, body);
    this.#machine.want(stream, bytes);
    this.pump();
  }

  /** Lets in what may enter now. */
  pump(): void {
    if (this.#bodies.size === 0) return;
    const { carrier } = this.#pipe;
    if (carrier !== this.#carrier) this.#machine.restart();
    this.#carrier = carrier;
    for (let grant = this.#next(); grant !== undefined; grant = this.#next()) this.#write(grant);
    if (this.#bodies.size > 0) this.#schedule();
  }

  /** A timer that is set and comes early finds nothing to do and sets the next: cheaper than setting one anew for each block. */
  #schedule(): void {
    const now = this.#now();
    let at = this.#machine.nextWakeup(now) ?? Infinity;
    for (const { at: since } of this.#onTheWay.values()) if (since + STUCK_MS > now) at = Math.min(at, since + STUCK_MS);
    if (at === Infinity || (this.#wakeAt !== undefined && this.#wakeAt <= at)) return;
    this.#timer?.cancel();
    this.#wakeAt = at;
    this.#timer = this.#group.clock.setTimer(Math.max(1, at - now), () => {
      this.#wakeAt = undefined;
      this.pump();
    });
  }

  #next(): Grant | undefined {
    const now = this.#now();
    let unsent = this.#pipe.unsentBytes;
    for (const { bytes, at } of this.#onTheWay.values()) if (now < at + STUCK_MS) unsent += bytes;
    return this.#machine.next({ unsent, sent: this.#pipe.stats.sent }, now);
  }

  #write({ stream, bytes }: Grant): void {
    const entry = { bytes, at: this.#now() };
    const body = this.#bodies.get(stream);
    // What it has beyond this it asks for when this has been passed on.
    this.#bodies.delete(stream);
    this.#machine.want(stream, 0);
    this.#onTheWay.set(stream, entry);
    body?.pass(bytes, () => {
      if (this.#onTheWay.get(stream) === entry) this.#onTheWay.delete(stream);
      this.pump();
    });
  }
}

/** A body on its way to one stream. */
class GatedBody extends Writable {
  readonly #stream: Http2Stream & Writable;
  readonly #gate: BulkGate;
  readonly #queue = new ByteQueue();
  #isPassing = false;
  passedBytes = 0;
  /** Goes on with the writer, once there is room. */
  #resume: (() => void) | undefined;
  /** Goes on with the end, once all is written. */
  #finish: (() => void) | undefined;

  constructor(stream: Http2Stream & Writable, gate: BulkGate) {
    super({ highWaterMark: WAITING_BYTES });
    this.#stream = stream;
    this.#gate = gate;
    if (stream.destroyed) this.destroy();
    else stream.once('close', () => this.destroy());
  }

  /** Writes the next `bytes` to the stream; `done` when HTTP/2 has passed them on. */
  pass(bytes: number, done: () => void): void {
    this.#isPassing = true;
    this.passedBytes += bytes;
    const passed = (error?: Error | null): void => {
      this.#isPassing = false;
      done();
      if (error === undefined || error === null) this.#ask();
    };
    let left = bytes;
    for (; left > WHOLE_BYTES; ) {
      const part = this.#queue.takePart(left);
      left -= part.length;
      this.#stream.write(part, left === 0 ? passed : undefined);
    }
    if (left > 0) this.#stream.write(this.#queue.take(left), passed);
    if (this.#queue.length < WAITING_BYTES) this.#goOn();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#queue.push(chunk);
    if (this.#queue.length < WAITING_BYTES) done();
    else this.#resume = done;
    this.#ask();
  }

  override _final(done: () => void): void {
    // Whoever reads the stream's own end learns of an error; here it is over either way.
    this.#finish = () => this.#stream.end(() => done());
    this.#ask();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#stream.destroyed && !this.writableFinished) this.#stream.destroy();
    done(error);
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  #ask(): void {
    if (this.#isPassing || this.destroyed) return;
    if (this.#queue.length > 0) return this.#gate.want(this.#stream, this, this.#queue.length);
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.();
  }
}
