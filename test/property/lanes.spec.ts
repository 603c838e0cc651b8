// Bulk lanes that come, carry and break at any moment: a body arrives exactly, whichever way its bytes took, and what is kept for it stays
// bounded; and peers that lie. Rule: a failing schedule is replayed by its steps alone.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/lib/bytes.ts';
import { InputFault } from '../../src/lib/errors.ts';
import { AckDecoder, encodeAck, encodeDone, encodeHello, encodePartHeader, encodeStart, LaneDecoder, MAX_PART, parseHello, parseLaneWord } from '../../src/link/lane-format.ts';
import type { LaneSaid } from '../../src/link/lane-format.ts';
import { LaneReceiver, LaneSender } from '../../src/link/lane-machine.ts';
import { parseLinkId } from '../../src/pipe/frame-format.ts';
import { ReplayBudget } from '../../src/pipe/replay-budget.ts';

const RUNS = { numRuns: 200 };
const KEPT = 3000;
const MAX_WRITE = 700;
const TOTAL = 10_000;

type Step = { readonly do: 'write'; readonly size: number } | { readonly do: 'open' | 'link' | 'lane' | 'ack' | 'hear ack' | 'break' | 'tell' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('write'), size: fc.integer({ min: 1, max: MAX_WRITE }) }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constantFrom('open', 'link', 'lane', 'ack', 'hear ack') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('break', 'tell') }) },
);

/** A body between two ends, with all that is under way. */
class World {
  readonly budget = new ReplayBudget(TOTAL);
  readonly sender = new LaneSender({ maxBytes: KEPT, budget: this.budget });
  readonly receiver = new LaneReceiver();
  readonly written: Uint8Array[] = [];
  readonly read: Uint8Array[] = [];
  readonly #link: Uint8Array[] = [];
  #lane: { readonly said: LaneSaid[]; readonly acks: number[]; hasBegun: boolean; isBroken: boolean } | undefined;
  #next = 0;
  most = 0;

  take(each: Step): void {
    if (each.do === 'write') this.#write(each.size);
    if (each.do === 'open' && this.#lane === undefined) this.#lane = { said: [{ type: 'start', offset: this.sender.begin() }], acks: [], hasBegun: false, isBroken: false };
    if (each.do === 'link') this.#overLink();
    if (each.do === 'lane') this.#overLane();
    if (each.do === 'ack' && this.#lane?.hasBegun === true) this.#lane.acks.push(this.receiver.received);
    if (each.do === 'hear ack') this.#hear();
    if (each.do === 'break') this.#break();
    if (each.do === 'tell' && this.#lane !== undefined) this.#tell();
    this.most = Math.max(this.most, TOTAL - this.budget.freeBytes);
  }

  /** Everything that is under way arrives, on the ways that are left. */
  settle(): void {
    if (this.#lane?.isBroken === true) this.#tell();
    for (let left = 1, turns = 0; left > 0; turns += 1) {
      // A part whose turn never comes would be waited for without end.
      expect(turns).toBeLessThan(10_000);
      left = this.#link.length + (this.#lane?.said.length ?? 0);
      this.#overLink();
      this.#overLane();
    }
    if (this.#lane?.hasBegun === true) this.#lane.acks.push(this.receiver.received);
    while ((this.#lane?.acks.length ?? 0) > 0) this.#hear();
  }

  #write(size: number): void {
    if (this.#lane !== undefined && !this.sender.hasRoom) return;
    const part = Uint8Array.from({ length: size }, () => (this.#next = (this.#next + 1) % 251));
    this.written.push(part);
    if (this.#lane === undefined) {
      this.sender.passed(size);
      this.#link.push(part);
      return;
    }
    this.sender.keep(part);
    // Who has not heard of the break writes on, to nobody.
    if (!this.#lane.isBroken) this.#lane.said.push({ type: 'part', bytes: part });
  }

  #overLink(): void {
    const part = this.#link.shift();
    if (part === undefined) return;
    this.receiver.fromLink(part.length);
    this.read.push(part);
  }

  #overLane(): void {
    const [said] = this.#lane?.said ?? [];
    if (said?.type === 'start' && this.#lane !== undefined) {
      this.receiver.begins(said.offset);
      this.#lane.hasBegun = true;
    }
    if (said?.type === 'part') {
      if (!this.receiver.isLanesTurn) return;
      this.receiver.fromLane(said.bytes.length);
      this.read.push(said.bytes);
    }
    this.#lane?.said.shift();
  }

  #hear(): void {
    const offset = this.#lane?.acks.shift();
    if (offset !== undefined) this.sender.acknowledge(offset);
  }

  /** What is under way on the lane is lost; on the link nothing is. */
  #break(): void {
    if (this.#lane === undefined) return;
    this.#lane.said.length = 0;
    this.#lane.acks.length = 0;
    this.#lane.isBroken = true;
  }

  /** Who receives says from where to go on. */
  #tell(): void {
    this.#break();
    for (const part of this.sender.resume(this.receiver.lost())) {
      this.#link.push(part);
      this.sender.written(part.length);
    }
    this.#lane = undefined;
  }
}

function isRefused(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof InputFault;
  }
}

describe('a body and its lanes', () => {
  it('arrives exactly and in order under any schedule, with what is kept bounded and given back', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
        const world = new World();
        for (const each of steps) world.take(each);
        world.settle();
        expect(Buffer.compare(concatBytes(world.read), concatBytes(world.written))).toBe(0);
        expect(world.most).toBeLessThanOrEqual(KEPT + MAX_WRITE);
        world.sender.clear();
        expect(world.budget.freeBytes).toBe(TOTAL);
      }),
      RUNS,
    );
  });

  it('takes no acknowledgement and no resumption that cannot be, and loses nothing by them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }), fc.array(fc.maxSafeNat(), { maxLength: 20 }), (parts, lies) => {
        const sender = new LaneSender();
        sender.passed(100);
        sender.begin();
        for (const length of parts) sender.keep(new Uint8Array(length));
        const end = 100 + parts.reduce((sum, length) => sum + length, 0);
        let acked = 100;
        for (const lie of lies) {
          if (lie >= acked && lie <= end) acked = lie;
          expect(isRefused(() => sender.acknowledge(lie))).toBe(lie !== acked);
        }
        expect(() => sender.resume(99)).toThrow(InputFault);
        expect(() => sender.resume(end + 1)).toThrow(InputFault);
        expect(concatBytes(sender.resume(undefined)).length).toBe(end - 100);
      }),
      RUNS,
    );
  });

  it('refuses a lane that begins behind what has come, twice, or ahead of its turn, and a link that goes on beside it', () => {
    const receiver = new LaneReceiver();
    receiver.fromLink(10);
    expect(() => receiver.begins(9)).toThrow(InputFault);
    expect(() => receiver.fromLane(1)).toThrow(InputFault);
    receiver.begins(12);
    expect(() => receiver.begins(12)).toThrow(InputFault);
    expect(() => receiver.fromLane(1)).toThrow(InputFault);
    expect(() => receiver.fromLink(3)).toThrow(InputFault);
    receiver.fromLink(2);
    receiver.fromLane(5);
    expect(receiver.lost()).toBe(17);
  });
});

describe('the bytes of a lane', () => {
  it('are read the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(fc.uint8Array({ minLength: 0, maxLength: 60 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 9 }), (offset, parts, cuts) => {
        const wire = concatBytes([encodeStart(offset), ...parts.flatMap((part) => [encodePartHeader(part.length), part]), encodeDone()]);
        const decoder = new LaneDecoder();
        const said: LaneSaid[] = [];
        for (let at = 0, turn = 0; at < wire.length; turn += 1) {
          const piece = wire.subarray(at, at + (cuts[turn % cuts.length] ?? 1));
          said.push(...decoder.receive(piece));
          at += piece.length;
        }
        expect(said[0]).toEqual({ type: 'start', offset });
        expect(said.at(-1)).toEqual({ type: 'done' });
        expect(concatBytes(said.flatMap((each) => (each.type === 'part' ? [each.bytes] : [])))).toEqual(concatBytes(parts));
        expect(() => decoder.receive(Uint8Array.of(0))).toThrow(InputFault);
      }),
      RUNS,
    );
  });

  it('name the newest acknowledgement, in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 20 }), (offsets, cut) => {
        const rising = [...offsets].sort((one, other) => one - other);
        const wire = concatBytes(rising.map(encodeAck));
        const decoder = new AckDecoder();
        let newest: number | undefined;
        for (let at = 0; at < wire.length; at += cut) newest = decoder.receive(wire.subarray(at, at + cut)) ?? newest;
        expect(newest).toBe(rising.at(-1));
      }),
      RUNS,
    );
  });

  it('are refused with a part that is too long, and never read as anything but what they are', () => {
    const decoder = new LaneDecoder();
    decoder.receive(encodeStart(0));
    expect(() => decoder.receive(encodePartHeader(MAX_PART + 1))).toThrow(InputFault);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.anything(), (bytes, anything) => {
        for (const parse of [() => parseHello(bytes), () => new LaneDecoder().receive(bytes), () => new AckDecoder().receive(bytes), () => parseLaneWord({ lane: anything, sid: anything })]) {
          try {
            parse();
          } catch (error) {
            expect(error).toBeInstanceOf(InputFault);
          }
        }
      }),
      RUNS,
    );
  });

  it('begin with the link and the stream that they are for', () => {
    const linkId = parseLinkId('00112233445566778899aabbccddeeff');
    const hello = encodeHello(linkId, { stream: 4_000_000_000, way: 'down' });
    expect(parseHello(hello)).toEqual({ linkId, stream: 4_000_000_000, way: 'down' });
    expect(() => parseHello(hello.subarray(1))).toThrow(InputFault);
  });
});
