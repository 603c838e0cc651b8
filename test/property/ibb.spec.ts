// In-band streams under any split, size and delay. Two ends, one virtual clock.

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { formatData, parseData } from '../../src/carriers/ibb-format.ts';
import { IbbMachine } from '../../src/carriers/ibb-machine.ts';
import { InBand } from '../../src/carriers/in-band.ts';
import { concatBytes } from '../../src/lib/bytes.ts';
import { InputFault } from '../../src/lib/errors.ts';
import { delay } from '../../src/lib/clock.ts';
import { createLog } from '../../src/lib/log.ts';
import { TestSink, TestSource, patternBytes } from '../helpers/carrier-ends.ts';
import { EventClock } from '../helpers/event-clock.ts';
import { createIqPair } from '../helpers/iq-pair.ts';
import type { WireOptions } from '../helpers/iq-pair.ts';

const log = createLog(() => undefined, 'warn', () => 0);

async function openStream(wire: WireOptions, largestBlock = 65_535) {
  const clock = new EventClock();
  const { a, b } = createIqPair(clock, wire);
  const common = { clock, log, random: (size: number) => randomBytes(size), largestBlock };
  const [from, to] = [new InBand({ connection: a, ...common }), new InBand({ connection: b, ...common })];
  const accepted: Carrier[] = [];
  to.onCarrier((carrier) => accepted.push(carrier));
  const there = await clock.finish(from.open(b.jid));
  const here = accepted[0];
  if (here === undefined) throw new Error('nothing was accepted');
  return { clock, a, b, there, here };
}

/** Cycles through drawn numbers, so that a failing run can be repeated. */
function cycle(values: readonly number[]): () => number {
  let at = 0;
  return () => {
    at += 1;
    return values[at % values.length] ?? 0;
  };
}

interface Drawn {
  readonly parts: readonly Uint8Array[];
  /** Milliseconds each: a stanza's way, a writer's pause, a consumer's work. */
  readonly wire: readonly number[];
  readonly pauses: readonly number[];
  readonly paces: readonly number[];
  readonly blockSize: number;
}

const delays = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 20 });
const drawn: fc.Arbitrary<Drawn> = fc.record({
  parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), { minLength: 1, maxLength: 12 }),
  wire: delays,
  pauses: delays,
  paces: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1 }),
  blockSize: fc.constantFrom(1024, 2048, 4096, 65_535),
});

describe('in-band streams', () => {
  it('deliver exactly what was written, however it is split, delayed and consumed', async () => {
    const run = async ({ parts, wire, pauses, paces, blockSize }: Drawn): Promise<void> => {
      const { clock, there, here } = await openStream({ delayMs: cycle(wire) }, blockSize);
      const pace = cycle(paces);
      const [source, sink] = [new TestSource(), new TestSink(() => delay(pace(), clock))];
      there.start(source, new TestSink());
      here.start(new TestSource(), sink);
      const wait = cycle(pauses);
      for (const part of parts) {
        source.write(part);
        there.wake();
        if (wait() > 1000) await clock.advance(wait());
      }
      const whole = concatBytes(parts);
      await clock.runUntil(() => sink.length >= whole.length);
      expect(Buffer.compare(sink.bytes, whole)).toBe(0);
      expect(sink.faults).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(drawn, run), { numRuns: 100 });
  });

  it('deliver a prefix and nothing else when either connection breaks, and tell both ends', async () => {
    const run = async (length: number, breakAfterMs: number, isSender: boolean): Promise<void> => {
      const { clock, a, b, there, here } = await openStream({ delayMs: () => 7 });
      const [source, sink, sinkBack] = [new TestSource(), new TestSink(), new TestSink()];
      const whole = patternBytes(length);
      source.write(whole);
      there.start(source, sinkBack);
      here.start(new TestSource(), sink);
      await clock.advance(breakAfterMs);
      (isSender ? a : b).drop();
      source.write(patternBytes(4096));
      there.wake();
      await clock.advance(60_000);
      const got = Math.min(sink.length, whole.length);
      expect(Buffer.compare(sink.bytes.subarray(0, got), whole.subarray(0, got))).toBe(0);
      expect((isSender ? sinkBack : sink).faults).toMatchObject([{ code: 'tcp' }]);
      if (!isSender) expect(sinkBack.faults).toHaveLength(1);
    };
    const length = fc.integer({ min: 0, max: 400_000 });
    const moment = fc.integer({ min: 0, max: 300 });
    await fc.assert(fc.asyncProperty(length, moment, fc.boolean(), run), { numRuns: 60 });
  });

  it('go on past the sequence number 65535', { timeout: 60_000 }, async () => {
    const { clock, a, there, here } = await openStream({ delayMs: () => 0 });
    const [source, sink] = [new TestSource(2), new TestSink()];
    const whole = patternBytes(140_000);
    source.write(whole);
    there.start(source, new TestSink());
    here.start(new TestSource(), sink);
    await clock.runUntil(() => sink.length === whole.length);
    expect(Buffer.compare(sink.bytes, whole)).toBe(0);
    const seqs = a.sent.filter((text) => text.startsWith('<data')).map((text) => Number(/seq="(\d+)"/.exec(text)?.[1]));
    expect(seqs).toEqual(Array.from({ length: 70_000 }, (_, at) => at % 65_536));
  });
});

describe('IbbMachine', () => {
  it('takes the next number and no other, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 50 }), (seqs) => {
        const machine = new IbbMachine(4096);
        machine.attach();
        let next = 0;
        for (const seq of seqs) {
          const refusal = machine.receive(seq, 1);
          expect(refusal?.condition).toBe(seq === next ? undefined : 'unexpected-request');
          if (refusal !== undefined) return;
          next += 1;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never has more under way than 64 blocks or 256 KiB, and always lets two out', () => {
    const step = fc.record({ size: fc.integer({ min: 1, max: 4096 }), rtt: fc.integer({ min: 0, max: 20_000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const machine = new IbbMachine(4096);
        const underWay = [];
        let now = 0;
        for (const { size, rtt } of steps) {
          for (let room = machine.room(); room > 0; room = machine.room()) underWay.push(machine.send(Math.min(size, room), now));
          expect(underWay.length).toBeGreaterThanOrEqual(2);
          expect(underWay.length).toBeLessThanOrEqual(64);
          expect(underWay.reduce((sum, block) => sum + block.size, 0)).toBeLessThanOrEqual(256 * 1024);
          const first = underWay.shift();
          if (first !== undefined) now = Math.max(now, first.sentAt + rtt);
          if (first !== undefined) machine.acknowledge(first, now);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseData', () => {
  it('reads back what formatData wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.integer({ min: 0, max: 65_535 }), (bytes, seq) => {
        const read = parseData(parse(formatData('s', { seq, bytes }).toString()), 4096);
        expect(read.seq).toBe(seq);
        expect(Buffer.compare(read.bytes, bytes)).toBe(0);
      }),
    );
  });

  it('reads any text as the bytes it stands for, or refuses it as bad input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        const element = formatData('s', { seq: 0, bytes: new Uint8Array(0) }).t(text);
        try {
          expect(Buffer.from(parseData(element, 4096).bytes).toString('base64')).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InputFault);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
