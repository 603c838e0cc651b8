// Two pipe machines, one virtual time, and carriers that can be cut at any byte. Rule: nothing happens but what the test says,
// so that a failing schedule is replayed by its operations alone.

import { ACK_DELAY_MS } from '../../src/pipe/delayed-ack.ts';
import { concatBytes } from '../../src/lib/bytes.ts';
import { readFirstFrame } from '../../src/pipe/frame-decoder.ts';
import { parseLinkId } from '../../src/pipe/frame-format.ts';
import type { CarrierName, ResumeFrame } from '../../src/pipe/frame-format.ts';
import { PipeMachine } from '../../src/pipe/pipe-machine.ts';
import type { PipeEvent, PipeOptions } from '../../src/pipe/pipe-types.ts';

export type Side = 'dialler' | 'listener';

/** A repeatable stream of bytes: a seed's, from an offset (mulberry32 over each index). */
export function bytesOfSeed(seed: number, from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_none, index) => {
    let mixed = (seed + (from + index) * 0x6d2b79f5) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  });
}

/** What lies between the two: bytes on their way, and which attachment of each machine it is. */
export class Wire {
  readonly carrier: CarrierName;
  readonly attachments: Partial<Record<Side, number>> = {};
  readonly #flying: Record<Side, Uint8Array> = { dialler: new Uint8Array(0), listener: new Uint8Array(0) };
  #isCut = false;
  /** What the listening agent has read before it knew the pipe. */
  first: Uint8Array | undefined = new Uint8Array(0);
  resume: ResumeFrame | undefined;
  /** Everything that the dialler ever sent here. */
  sentByDialler: Uint8Array = new Uint8Array(0);

  constructor(carrier: CarrierName) {
    this.carrier = carrier;
  }

  send(to: Side, bytes: Uint8Array): void {
    this.#flying[to] = concatBytes([this.#flying[to], bytes]);
    if (to === 'listener') this.sentByDialler = concatBytes([this.sentByDialler, bytes]);
  }

  arrive(to: Side, max: number): Uint8Array {
    if (this.#isCut) return new Uint8Array(0);
    const bytes = this.#flying[to].subarray(0, max);
    this.#flying[to] = this.#flying[to].subarray(bytes.length);
    return bytes;
  }

  /** The carrier breaks with all that is on its way, and nobody is told. */
  cut(): void {
    this.#isCut = true;
  }
}

export interface PairOptions extends Omit<PipeOptions, 'role' | 'linkId' | 'budget'> {
  readonly seed?: number;
  /** Left out: both ends get the same key before anything happens. */
  readonly hasKey?: boolean;
}

/** The dialler's machine and the listener's, with everything that was written and delivered. */
export class Pair {
  now = 1_000_000;
  readonly machines: Readonly<Record<Side, PipeMachine>>;
  readonly wires: Wire[] = [];
  readonly events: Record<Side, PipeEvent[]> = { dialler: [], listener: [] };
  readonly written: Record<Side, number> = { dialler: 0, listener: 0 };
  readonly delivered: Record<Side, number> = { dialler: 0, listener: 0 };
  readonly #seeds: Readonly<Record<Side, number>>;

  constructor({ seed = 1, hasKey = true, ...options }: PairOptions = {}) {
    const linkId = parseLinkId('00112233445566778899aabbccddeeff');
    this.machines = {
      dialler: new PipeMachine({ ...options, role: 'dialler', linkId }),
      listener: new PipeMachine({ ...options, role: 'listener', linkId }),
    };
    this.#seeds = { dialler: seed, listener: seed + 1 };
    if (hasKey) for (const machine of Object.values(this.machines)) machine.setResumeKey(KEY);
  }

  get wire(): Wire {
    const wire = this.wires.at(-1);
    if (wire === undefined) throw new Error('no carrier was opened');
    return wire;
  }

  /** Writes the next bytes of the side's own stream, as many as fit. */
  write(side: Side, count: number): number {
    const bytes = bytesOfSeed(this.#seeds[side], this.written[side], count);
    const taken = this.machines[side].write(bytes, this.now);
    this.written[side] += taken;
    return taken;
  }

  /** The dialler opens a carrier; the one before may still be in use on the other side. */
  attach(): Wire {
    const wire = new Wire({ kind: this.wires.length % 2 === 0 ? 'in-band' : 'direct', sid: `carrier-${this.wires.length}` });
    wire.attachments.dialler = this.machines.dialler.attach(wire.carrier, this.now);
    this.wires.push(wire);
    return wire;
  }

  /** A side's carrier asks for a block. */
  pull(side: Side, max: number, wire = this.wire): Uint8Array {
    const attachment = wire.attachments[side];
    if (attachment === undefined) return new Uint8Array(0);
    const bytes = this.machines[side].takeOutgoing(attachment, max, this.now);
    wire.send(other(side), bytes);
    return bytes;
  }

  /** At most `max` bytes on their way to a side arrive there. */
  deliver(side: Side, max: number, wire = this.wire): PipeEvent[] {
    const bytes = wire.arrive(side, max);
    if (bytes.length === 0) return [];
    if (side === 'listener' && wire.first !== undefined) return this.#route(wire, concatBytes([wire.first, bytes]));
    const attachment = wire.attachments[side];
    return attachment === undefined ? [] : this.note(side, this.machines[side].receive(attachment, bytes, this.now));
  }

  /** One side learns that the carrier is gone. */
  detach(side: Side, wire = this.wire): PipeEvent[] {
    const attachment = wire.attachments[side];
    return attachment === undefined ? [] : this.note(side, this.machines[side].detach(attachment, this.now));
  }

  pass(ms: number): void {
    this.now += ms;
    for (const side of SIDES) this.note(side, this.machines[side].wakeup(this.now));
  }

  /** Moves bytes over the newest carrier, and time by the machines' own wishes, until nothing is on its way for `ms`. */
  settle(ms = ACK_DELAY_MS + 1000, block = 1000): void {
    const until = this.now + ms;
    for (;;) {
      while (this.exchange(block)) continue;
      const wishes = SIDES.map((side) => this.machines[side].nextWakeup() ?? Infinity);
      const next = Math.max(this.now, Math.min(...wishes));
      if (next > until) break;
      this.pass(next - this.now);
    }
    this.now = until;
  }

  /** One block each way over the newest carrier; false when there was none. */
  exchange(block: number): boolean {
    const moved = SIDES.map((side) => this.pull(side, block).length + this.deliver(other(side), Infinity).length);
    return moved.some((count) => count > 0);
  }

  /** Keeps events, and checks each delivered byte at once against what was written. */
  note(side: Side, events: PipeEvent[]): PipeEvent[] {
    this.events[side].push(...events);
    for (const event of events) {
      if (event.type !== 'data') continue;
      const expected = bytesOfSeed(this.#seeds[other(side)], this.delivered[side], event.bytes.length);
      if (Buffer.compare(expected, event.bytes) !== 0) throw new Error(`${side} got wrong bytes at ${this.delivered[side]}`);
      this.delivered[side] += event.bytes.length;
      if (this.delivered[side] > this.written[other(side)]) throw new Error(`${side} got more than was written`);
    }
    return events;
  }

  #route(wire: Wire, bytes: Uint8Array): PipeEvent[] {
    wire.first = bytes;
    const read = readFirstFrame(bytes);
    if (read === undefined) return [];
    wire.first = undefined;
    const { listener } = this.machines;
    if (read.frame.type === 'open') wire.attachments.listener = listener.attach(wire.carrier, this.now);
    else {
      wire.resume = read.frame;
      const { attachment, events } = listener.acceptResume(read.frame, wire.carrier, this.now);
      if (attachment !== undefined) wire.attachments.listener = attachment;
      this.note('listener', events);
    }
    const attachment = wire.attachments.listener;
    return attachment === undefined ? [] : this.note('listener', listener.receive(attachment, read.rest, this.now));
  }
}

/** The key of every pair. */
export const KEY = Uint8Array.from({ length: 32 }, (_none, index) => index);
export const SIDES: readonly Side[] = ['dialler', 'listener'];

export function other(side: Side): Side {
  return side === 'dialler' ? 'listener' : 'dialler';
}
