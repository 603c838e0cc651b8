// The pipe's promise under any schedule of writes, blocks, losses, hand-overs and late bytes.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder, readFirstFrame } from '../../src/pipe/frame-decoder.ts';
import { encodeFrame, parseLinkId } from '../../src/pipe/frame-format.ts';
import type { Frame } from '../../src/pipe/frame-format.ts';
import { PipeMachine } from '../../src/pipe/pipe-machine.ts';
import { Replay } from '../../src/pipe/replay.ts';
import { Pair, SIDES } from '../helpers/pair.ts';
import type { Side, Wire } from '../helpers/pair.ts';

const RUNS = { numRuns: 300 };
const REPLAY = 5000;

type Step =
  | { readonly do: 'write' | 'pull' | 'deliver'; readonly side: Side; readonly count: number; readonly back: number }
  | { readonly do: 'detach'; readonly side: Side }
  | { readonly do: 'attach' }
  | { readonly do: 'cut' }
  | { readonly do: 'pass'; readonly ms: number };

const side = fc.constantFrom<Side>(...SIDES);
const back = fc.constantFrom(0, 0, 0, 1, 2);
const count = fc.integer({ min: 1, max: 3000 });
const moves = fc.record({ do: fc.constantFrom('write', 'pull', 'deliver'), side, count, back });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: moves },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('detach'), side }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'attach' } as const, { do: 'cut' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.integer({ min: 0, max: 9000 }) }) },
);

const schedule = fc.array(step, { minLength: 30, maxLength: 150 });

/** Does one step; `back` names an older carrier, whose bytes come late. */
function take(pair: Pair, now: Step): void {
  if (now.do === 'attach') pair.attach();
  else if (now.do === 'cut') pair.wire.cut();
  else if (now.do === 'pass') pair.pass(now.ms);
  else if (now.do === 'detach') pair.detach(now.side);
  else if (now.do === 'write') pair.write(now.side, now.count);
  else {
    const wire: Wire = pair.wires.at(-1 - now.back) ?? pair.wire;
    pair[now.do](now.side, now.count, wire);
  }
}

function heldBy(pair: Pair, side: Side): number {
  const { written, acknowledged } = pair.machines[side].stats;
  return written - acknowledged;
}

describe('PipeMachine', () => {
  it('delivers exactly the bytes written, in order, once, under any schedule of losses and hand-overs', () => {
    let resumed = 0;
    fc.assert(
      fc.property(schedule, fc.nat(), fc.integer({ min: 1, max: 5000 }), (steps, seed, block) => {
        const pair = new Pair({ seed, replayBytes: REPLAY, firstOffset: 2 ** 32 - 2000 });
        pair.attach();
        pair.settle();
        for (const now of steps) {
          take(pair, now);
          for (const each of SIDES) expect(heldBy(pair, each)).toBeLessThanOrEqual(REPLAY);
        }
        pair.attach();
        pair.settle(30_000, block);
        expect(pair.delivered).toEqual({ dialler: pair.written.listener, listener: pair.written.dialler });
        for (const each of SIDES) expect(heldBy(pair, each)).toBe(0);
        const kinds = new Set([...pair.events.dialler, ...pair.events.listener].map((event) => event.type));
        expect(kinds).not.toContain('fault');
        expect(kinds).not.toContain('closed');
        resumed += pair.machines.listener.stats.epoch;
      }),
      RUNS,
    );
    expect(resumed).toBeGreaterThan(RUNS.numRuns);
  });

  it('goes on exactly at the byte where its carrier was cut', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 4000 }), fc.nat({ max: 4000 }), fc.boolean(), (seed, toListener, toDialler, isLate) => {
        const pair = new Pair({ seed });
        const wire = pair.attach();
        for (const each of SIDES) pair.write(each, 3000);
        pair.pull('dialler', 4000);
        pair.deliver('listener', toListener);
        pair.pull('listener', 4000);
        pair.deliver('dialler', toDialler);
        if (wire.attachments.listener === undefined) return;
        pair.attach();
        pair.settle();
        if (isLate) for (const each of SIDES) pair.deliver(each, Infinity, wire);
        pair.settle();
        expect(pair.delivered).toEqual({ dialler: 3000, listener: 3000 });
      }),
      RUNS,
    );
  });

  it('gives a carrier at most what it has room for, and keeps what is unsent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6000 }), fc.integer({ min: 1, max: 200_000 }), (max, count) => {
        const pair = new Pair();
        pair.attach();
        pair.write('dialler', count);
        const block = pair.pull('dialler', max);
        expect(block.length).toBeLessThanOrEqual(max);
        expect(block.length).toBeGreaterThanOrEqual(Math.min(max - 64 - 13, 1));
        expect(pair.machines.dialler.unsentBytes).toBeGreaterThanOrEqual(count - Math.max(max, 64));
      }),
      RUNS,
    );
  });

  it('survives any bytes from its carrier: it goes on or closes, with a bounded answer', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), side, (pieces, role) => {
        const machine = new PipeMachine({ role, linkId: LINK });
        const attachment = machine.attach({ kind: 'in-band', sid: 'a' }, 0);
        const events = pieces.flatMap((piece) => machine.receive(attachment, piece, 0));
        expect(machine.takeOutgoing(attachment, 1 << 20, 0).length).toBeLessThan(200);
        expect(events.filter(({ type }) => type === 'closed').length).toBe(machine.isOver ? 1 : 0);
      }),
      RUNS,
    );
  });

  it('answers a flood of PINGs with one PONG', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (count) => {
        const machine = new PipeMachine({ role: 'listener', linkId: LINK });
        const attachment = machine.attach({ kind: 'in-band', sid: 'a' }, 0);
        const ping = Buffer.concat(Array.from({ length: count }, (_none, number) => encodeFrame({ type: 'ping', number })));
        machine.receive(attachment, ping, 0);
        expect(machine.takeOutgoing(attachment, 4096, 0)).toEqual(encodeFrame({ type: 'pong', number: count - 1 }));
      }),
      { numRuns: 50 },
    );
  });
});

const LINK = parseLinkId('ffeeddccbbaa99887766554433221100');
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const offset = fc.oneof(fc.maxSafeNat(), fc.integer({ min: 2 ** 32 - 2, max: 2 ** 32 + 2 }));
const linkId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => parseLinkId(Buffer.from(bytes).toString('hex')));
const sid = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => Buffer.byteLength(text) <= 128);
const resumes = fc.record({
  type: fc.constantFrom('resume', 'resumed'),
  linkId,
  epoch: u32,
  role: fc.constantFrom<Side>(...SIDES),
  received: offset,
  carrier: fc.record({ kind: fc.constantFrom('in-band', 'socks5', 'direct'), sid }),
  mac: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});
const REASONS = ['done', 'protocol', 'refused', 'unknown-link', 'newer-version', 'busy', 'gone-away'] as const;
const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('open'), version: fc.constant(1), linkId }),
  fc.record({ type: fc.constant('data'), offset, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  fc.record({ type: fc.constant('ack'), received: offset }),
  resumes,
  fc.record({ type: fc.constantFrom('ping', 'pong'), number: u32 }),
  fc.record({ type: fc.constant('close'), reason: fc.constantFrom(...REASONS) }),
);

const cut = fc.integer({ min: 1, max: 60 });

/** DATA frames that go on where the one before stopped are one: a frame may come in parts. */
function joined(frames: readonly Frame[]): Frame[] {
  const out: Frame[] = [];
  for (const frame of frames) {
    const last = out.at(-1);
    if (frame.type === 'data' && last?.type === 'data' && last.offset + last.bytes.length === frame.offset) {
      out[out.length - 1] = { ...last, bytes: Uint8Array.from([...last.bytes, ...frame.bytes]) };
    } else out.push(frame.type === 'data' ? { ...frame, bytes: Uint8Array.from(frame.bytes) } : frame);
  }
  return out;
}

describe('FrameDecoder', () => {
  it('gives back every frame, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(cut, { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encodeFrame));
        const decoder = new FrameDecoder();
        const decoded: Frame[] = [];
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1;
          decoder.push(Uint8Array.from(bytes.subarray(at, at + size)));
          at += size;
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) decoded.push(frame);
        }
        expect(joined(decoded)).toEqual(joined(frames));
      }),
      RUNS,
    );
  });
});

describe('readFirstFrame', () => {
  it('never asks for more once it has 1 KiB', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1024, maxLength: 1100 }), fc.constantFrom(0, 1, 2, 4), (bytes, type) => {
        const start = Uint8Array.from([type, 0, 0, 0, ...bytes.subarray(4)]);
        let read: unknown = 'refused';
        try {
          read = readFirstFrame(start);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-input' });
        }
        expect(read).toBeDefined();
      }),
      RUNS,
    );
  });
});

describe('Replay', () => {
  it('is a window on the stream, wherever it begins', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    const command = fc.record({ do: fc.constantFrom('append', 'take', 'acknowledge', 'rewind'), part });
    const start = fc.constantFrom(0, 2 ** 32 - 40_000, 2 ** 52);
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), start, (commands, firstOffset) => {
        const maxBytes = 70_000;
        const replay = new Replay({ maxBytes, firstOffset });
        const model: number[] = [];
        for (const { do: name, part } of commands) {
          const until = replay.start + Math.floor(part * (replay.sent - replay.start));
          if (name === 'append') {
            const bytes = Uint8Array.from({ length: Math.floor(part * 40_000) }, (_none, index) => (model.length + index) % 251);
            const taken = replay.append(bytes);
            expect(taken).toBe(Math.min(bytes.length, maxBytes - (firstOffset + model.length - replay.start)));
            model.push(...bytes.subarray(0, taken));
          } else if (name === 'take') {
            const from = replay.sent - firstOffset;
            const bytes = replay.take(Math.floor(part * 40_000));
            expect(Buffer.compare(bytes, Uint8Array.from(model.slice(from, from + bytes.length)))).toBe(0);
            expect(replay.sent).toBe(firstOffset + from + bytes.length);
          } else replay[name](until);
          expect(replay.end).toBe(firstOffset + model.length);
        }
      }),
      { numRuns: 150 },
    );
  });
});
