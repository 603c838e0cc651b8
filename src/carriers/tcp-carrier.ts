// A carrier over one TCP connection, direct or through a SOCKS5 proxy (XEP-0065 §5, §6).
// Rule: it holds 512 KiB of what goes out and two reads of what comes in, then it stops taking; bytes are handed on as they came, never copied.

import type { Socket } from 'node:net';
import type { Clock, Timer } from '../lib/clock.ts';
import { Fault, asFault, codeOf } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { AddressClass, Carrier, CarrierSink, CarrierSource, CarrierStats } from './carrier.ts';

/** Bytes asked of the source at once, and bytes that may wait for the kernel before it is asked again. */
const PIECE = 256 * 1024;
const HIGH_WATER = 512 * 1024;
/** What the end may take: to send what was taken before `close`, or to have consumed what came before the peer's; in milliseconds. */
const CLOSE_MS = 5000;
const KEEP_ALIVE_MS = 30_000;
/** A proxy that reads in blocks (Prosody's: 4096 bytes) may keep what follows a whole block until more comes. */
const HELD_BLOCK = 4096;
/** When the first probe goes after the last bytes, and the longest time between two, in milliseconds; each is three times the one before. */
const PROBE_MS = 5;
const MAX_PROBE_MS = 2000;

export interface TcpCarrierOptions {
  /** Connected and past its handshake. It is the carrier's from now on. */
  readonly socket: Socket;
  readonly kind: 'socks5' | 'direct';
  readonly addressClass: AddressClass;
  readonly sid: string;
  readonly peer: FullJid;
  readonly clock: Clock;
  /** Bytes of the stream that came with the handshake. */
  readonly early: Uint8Array;
}

/** Moves bytes between a source, a socket and a sink. */
export class TcpCarrier implements Carrier {
  readonly kind: 'socks5' | 'direct';
  readonly addressClass: AddressClass;
  readonly sid: string;
  readonly peer: FullJid;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #ended: Promise<void>;
  #state: 'open' | 'closing' | 'over' = 'open';
  #source: CarrierSource | undefined;
  #sink: CarrierSink | undefined;
  #waiting: Uint8Array[];
  #isConsuming = false;
  #isPumpDue = false;
  /** The source had more than there was room for. */
  #hasMore = false;
  #hasPeerEnded = false;
  #fault: Fault | undefined;
  #error: unknown;
  #timer: Timer | undefined;
  #probeTimer: Timer | undefined;
  #unprobed = 0;
  #closing: Promise<void> | undefined;
  #bytesIn: number;
  #bytesOut = 0;
  readonly #onWritten = (): void => {
    if (this.#hasMore) this.wake();
  };

  constructor({ socket, kind, addressClass, sid, peer, clock, early }: TcpCarrierOptions) {
    this.kind = kind;
    this.addressClass = addressClass;
    this.sid = sid;
    this.peer = peer;
    this.#socket = socket;
    this.#clock = clock;
    this.#waiting = early.length > 0 ? [early] : [];
    this.#bytesIn = early.length;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error) => {
      this.#error = error;
    });
    this.#ended = new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.once('close', () => resolve());
    });
    void this.#ended.then(() => this.#onSocketClosed());
  }

  get stats(): CarrierStats {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, srttMs: 0 };
  }

  get isStarted(): boolean {
    return this.#sink !== undefined;
  }

  /** The connection itself, paused, for another use than a carrier's; undefined once it was started, or is over. It is the caller's from now on. */
  takeSocket(): Socket | undefined {
    if (this.isStarted || this.#state !== 'open') return undefined;
    this.#state = 'over';
    for (const early of this.#waiting.splice(0)) this.#socket.unshift(early);
    return this.#socket;
  }

  start(source: CarrierSource, sink: CarrierSink): void {
    if (this.isStarted) throw new Fault('internal', 'a TCP carrier was started twice');
    this.#source = source;
    this.#sink = sink;
    const fault = this.#fault;
    if (fault !== undefined) queueMicrotask(() => sink.closed(fault));
    if (this.#state !== 'open') return;
    this.#socket.on('data', (bytes: Uint8Array) => this.#onData(bytes));
    this.#socket.once('end', () => this.#onPeerEnd());
    const early = this.#waiting.shift();
    if (early === undefined) this.#socket.resume();
    else void this.#consume(sink, early);
    this.wake();
  }

  wake(): void {
    if (this.#isPumpDue || this.#state !== 'open' || this.#source === undefined) return;
    this.#isPumpDue = true;
    setImmediate(() => this.#pump());
  }

  close(): Promise<void> {
    if (this.#closing === undefined && this.#state === 'open') {
      this.#state = 'closing';
      this.#closing = this.#finish();
    }
    return this.#closing ?? Promise.resolve();
  }

  /** In one turn at most what there is room for, in one call to the kernel, so that reading has its turn as well. */
  #pump(probeMs = PROBE_MS): void {
    this.#isPumpDue = false;
    this.#probeTimer?.cancel();
    const socket = this.#socket;
    socket.cork();
    try {
      while (this.#state === 'open' && socket.writableLength < HIGH_WATER) {
        const bytes = this.#source?.takeOutgoing(PIECE);
        this.#hasMore = bytes !== undefined && bytes.length > 0;
        if (bytes === undefined || bytes.length === 0) return this.#probeAfter(probeMs);
        if (bytes.length > PIECE) throw new Fault('internal', `the source gave ${bytes.length} bytes where ${PIECE} fit`);
        this.#bytesOut += bytes.length;
        this.#unprobed += bytes.length;
        socket.write(bytes, this.#onWritten);
      }
    } catch (error) {
      this.#fail(asFault(error, 'TCP carrier'));
    } finally {
      socket.uncork();
    }
  }

  /** Through a proxy, once nothing more goes out: has the source ask for an answer until there is one, so that no end is left lying there. */
  #probeAfter(ms: number): void {
    const mayBeHeld = this.kind === 'socks5' && this.#state === 'open' && this.#unprobed > HELD_BLOCK;
    if (mayBeHeld && this.#source?.probe !== undefined) this.#probeTimer = this.#clock.setTimer(ms, () => this.#probe(ms));
  }

  #probe(ms: number): void {
    try {
      if (this.#source?.probe?.() === true) this.#pump(Math.min(3 * ms, MAX_PROBE_MS));
      else this.#unprobed = 0;
    } catch (error) {
      this.#fail(asFault(error, 'TCP carrier'));
    }
  }

  #onData(bytes: Uint8Array): void {
    // After our own close the rest is read only to see the end of it.
    if (this.#state !== 'open' || this.#sink === undefined) return;
    this.#bytesIn += bytes.length;
    if (!this.#isConsuming) return void this.#consume(this.#sink, bytes);
    this.#waiting.push(bytes);
    this.#socket.pause();
  }

  async #consume(sink: CarrierSink, first: Uint8Array): Promise<void> {
    this.#isConsuming = true;
    try {
      for (let bytes: Uint8Array | undefined = first; bytes !== undefined && this.#state === 'open'; bytes = this.#waiting.shift()) {
        await sink.receive(bytes);
      }
    } catch (error) {
      return this.#fail(new Fault('internal', 'the bytes of a TCP carrier could not be used', { cause: error }));
    }
    this.#isConsuming = false;
    if (this.#hasPeerEnded) this.#fail(this.#peerEnded());
    else this.#socket.resume();
  }

  /** The peer closed: what it sent before is still consumed, if the sink does so in time. */
  #onPeerEnd(): void {
    this.#hasPeerEnded = true;
    if (!this.#isConsuming) this.#fail(this.#peerEnded());
    else this.#timer = this.#clock.setTimer(CLOSE_MS, () => this.#fail(this.#peerEnded()));
  }

  #onSocketClosed(): void {
    // A clean end has its own way of being told, behind the bytes that came first.
    if (this.#error === undefined && this.#hasPeerEnded) return;
    const why = this.#error === undefined ? 'ended' : (codeOf(this.#error) ?? 'failed');
    this.#fail(new Fault('tcp', `the TCP connection to ${this.peer} broke: ${why}`, { cause: this.#error }));
  }

  #peerEnded(): Fault {
    return new Fault('not-connected', `${this.peer} closed the TCP connection`);
  }

  #fail(fault: Fault): void {
    if (this.#state !== 'open') return;
    this.#state = 'over';
    this.#fault = fault;
    this.#timer?.cancel();
    this.#probeTimer?.cancel();
    this.#waiting = [];
    this.#socket.destroy();
    this.#sink?.closed(fault);
  }

  /** Not before the present call is done: a source may close as it hands out its last bytes, and they go first. */
  async #finish(): Promise<void> {
    await Promise.resolve();
    this.#timer?.cancel();
    this.#probeTimer?.cancel();
    this.#waiting = [];
    const timer = this.#clock.setTimer(CLOSE_MS, () => this.#socket.destroy());
    this.#socket.end();
    this.#socket.resume();
    await this.#ended;
    timer.cancel();
    this.#state = 'over';
  }
}
