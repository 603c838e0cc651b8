// Hand-overs that go wrong in every way, and peers that mean harm: what was written arrives exactly, or the pipe ends and says so.
// Rule: a failing schedule is replayed by its steps alone.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/pipe/frame-format.ts';
import type { ResumeFrame } from '../../src/pipe/frame-format.ts';
import { Resumption } from '../../src/pipe/resumption.ts';
import { SteadyTime } from '../../src/link/steady-time.ts';
import { KEY, Pair, SIDES, other } from '../helpers/pair.ts';
import type { Side, Wire } from '../helpers/pair.ts';

const RUNS = { numRuns: 300 };
const REPLAY = 5000;
/** Where streams begin: nothing may depend on an offset that fits 32 bits. */
const starts = fc.constantFrom(0, 2 ** 32 - 2000, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER - 10_000_000);
const side = fc.constantFrom<Side>(...SIDES);
const size = fc.integer({ min: 1, max: 2500 });

/** What may happen around a hand-over; `older` counts carriers back from the newest. */
type Step =
  | { readonly do: 'write' | 'move' | 'pass'; readonly side: Side; readonly size: number; readonly older: number }
  | { readonly do: 'hand over' | 'lose RESUME' | 'lose RESUMED' | 'kill resuming' | 'disagree' | 'cut' | 'both notice' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('write', 'move', 'move', 'move', 'pass'), side, size, older: fc.constantFrom(0, 0, 0, 1, 2, 3) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('hand over', 'lose RESUME', 'lose RESUMED', 'kill resuming', 'disagree', 'cut', 'both notice') }) },
);
const schedule = fc.array(step, { minLength: 20, maxLength: 120 });

function take(pair: Pair, step: Step): void {
  switch (step.do) {
    case 'write':
      pair.write(step.side, step.size);
      return;
    case 'move': {
      // Late bytes of a carrier that counts no more move as well; nobody may take them.
      const wire: Wire = pair.wires.at(-1 - step.older) ?? pair.wire;
      pair.pull(step.side, step.size, wire);
      pair.deliver(other(step.side), step.size, wire);
      return;
    }
    case 'pass':
      return pair.pass(step.size * 4);
    case 'hand over':
      // A better carrier is made while the old one still runs.
      pair.attach();
      while (pair.exchange(700)) continue;
      return;
    case 'lose RESUME':
      pair.attach();
      pair.pull('dialler', 4096);
      return pair.wire.cut();
    case 'lose RESUMED':
      askFor(pair);
      pair.pull('listener', 4096);
      return pair.wire.cut();
    case 'kill resuming':
      pair.attach();
      pair.pull('dialler', 30);
      pair.detach('dialler');
      return;
    case 'disagree':
      // The listener counts the new carrier, the dialler has heard nothing of it yet.
      askFor(pair);
      return;
    case 'cut':
      return pair.wire.cut();
    case 'both notice':
      for (const each of SIDES) pair.detach(each);
  }
}

/** The dialler's RESUME reaches the listener. */
function askFor(pair: Pair): void {
  pair.attach();
  pair.pull('dialler', 4096);
  pair.deliver('listener', Infinity);
}

function begin(options: ConstructorParameters<typeof Pair>[0]): Pair {
  const pair = new Pair({ replayBytes: REPLAY, ...options });
  pair.attach();
  pair.settle();
  return pair;
}

function expectWhole(pair: Pair): void {
  pair.attach();
  pair.settle(30_000);
  expect(pair.delivered).toEqual({ dialler: pair.written.listener, listener: pair.written.dialler });
  for (const { stats } of Object.values(pair.machines)) expect(stats.written - stats.acknowledged).toBe(0);
}

describe('a pipe whose carriers are handed over', () => {
  it('delivers exactly the bytes written, in order, once, with bounded buffers, whatever is lost and whoever disagrees', () => {
    let resumed = 0;
    fc.assert(
      fc.property(schedule, fc.nat(), starts, (steps, seed, firstOffset) => {
        const pair = begin({ seed, firstOffset });
        for (const each of steps) {
          take(pair, each);
          for (const { stats, unsentBytes } of Object.values(pair.machines)) {
            expect(stats.written - stats.acknowledged).toBeLessThanOrEqual(REPLAY);
            expect(unsentBytes).toBeLessThanOrEqual(REPLAY);
          }
        }
        expectWhole(pair);
        const types = [...pair.events.dialler, ...pair.events.listener].map(({ type }) => type);
        expect(types.filter((type) => type === 'fault' || type === 'closed')).toEqual([]);
        resumed += types.filter((type) => type === 'attached').length;
      }),
      RUNS,
    );
    expect(resumed).toBeGreaterThan(4 * RUNS.numRuns);
  });

  it('outlives any time without a carrier below its give-up time, and ends at that time in words', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000, max: 86_400_000 }), fc.integer({ min: -5_000, max: 5_000 }), side, (giveUpMs, around, sleeper) => {
        const pair = begin({ giveUpMs });
        for (const each of SIDES) pair.write(each, 2000);
        pair.pull(sleeper, 900);
        pair.wire.cut();
        for (const each of SIDES) pair.detach(each);
        pair.pass(giveUpMs + around);
        if (around < 0) expectWhole(pair);
        else for (const each of SIDES) expect(pair.events[each].at(-1)).toEqual({ type: 'closed', reason: 'given-up' });
      }),
      RUNS,
    );
  });
});

describe('a peer that means harm', () => {
  it('ends the pipe with an acknowledgement of what was never sent, at any moment, and nothing wrong is delivered', () => {
    fc.assert(
      fc.property(schedule, starts, side, fc.integer({ min: 1, max: 2 ** 31 }), (steps, firstOffset, victim, beyond) => {
        const pair = begin({ firstOffset });
        for (const each of steps) take(pair, each);
        pair.attach();
        pair.settle();
        const machine = pair.machines[victim];
        pair.write(victim, 50);
        const received = Math.min(machine.stats.sent + beyond, Number.MAX_SAFE_INTEGER);
        const events = machine.receive(machine.attachment ?? -1, encodeFrame({ type: 'ack', received }), pair.now);
        expect(events.map(({ type }) => type)).toEqual(['fault', 'closed']);
        expect(() => machine.write(Uint8Array.of(1), pair.now)).toThrow('the pipe is closed');
        while (pair.exchange(1000)) continue;
        expect(pair.events[other(victim)].at(-1)).toEqual({ type: 'closed', reason: 'protocol' });
      }),
      RUNS,
    );
  });

  it('gains nothing by a RESUME that was used, on its own carrier or another, whole or with any bit turned', () => {
    fc.assert(
      fc.property(schedule, starts, fc.nat(), fc.nat(), (steps, firstOffset, pick, bit) => {
        const pair = begin({ firstOffset });
        for (const each of steps) take(pair, each);
        pair.attach();
        pair.settle();
        const used = pair.wires.filter(({ resume }) => resume !== undefined);
        const { resume, carrier } = used[pick % used.length] ?? pair.wire;
        if (resume === undefined) throw new Error('no RESUME was accepted');
        const { listener } = pair.machines;
        const before = listener.stats;
        for (const frame of [resume, turned(resume, bit)]) {
          for (const name of [carrier, pair.wire.carrier, { ...carrier, sid: 'of the attacker' }]) {
            expect(listener.acceptResume(frame, name, pair.now)).toMatchObject({ attachment: undefined, events: [{ type: 'refused' }] });
          }
        }
        expect(listener.stats).toEqual(before);
        expectWhole(pair);
      }),
      RUNS,
    );
  });

  it('cannot have two carriers at once: of two that resume, the higher epoch counts, and the other is told apart', () => {
    fc.assert(
      fc.property(size, starts, fc.boolean(), (written, firstOffset, isReordered) => {
        const pair = begin({ firstOffset });
        for (const each of SIDES) pair.write(each, written);
        const [first, second] = [pair.attach(), pair.attach()];
        // The first one's RESUME went out before the second was made.
        const asked = encodeFrame(sign(pair, first));
        first.send('listener', asked);
        pair.pull('dialler', 4096, second);
        for (const wire of isReordered ? [second, first] : [first, second]) pair.deliver('listener', Infinity, wire);
        expect(pair.machines.listener.attachment).toBe(second.attachments.listener);
        if (first.attachments.listener !== undefined) expect(pair.pull('listener', 4096, first)).toHaveLength(0);
        pair.settle();
        expect(pair.delivered).toEqual({ dialler: pair.written.listener, listener: pair.written.dialler });
      }),
      RUNS,
    );
  });

  it('cannot make a machine take data out of its place, and loses the link by trying', () => {
    fc.assert(
      fc.property(schedule, starts, side, fc.integer({ min: -3000, max: 3000 }).filter((shift) => shift !== 0), (steps, firstOffset, victim, shift) => {
        const pair = begin({ firstOffset });
        for (const each of steps) take(pair, each);
        pair.attach();
        pair.settle();
        const machine = pair.machines[victim];
        const offset = Math.max(0, machine.stats.received + shift);
        fc.pre(offset !== machine.stats.received);
        const events = machine.receive(machine.attachment ?? -1, encodeFrame({ type: 'data', offset, bytes: new Uint8Array(10) }), pair.now);
        expect(events.map(({ type }) => type)).toEqual(['fault', 'closed']);
      }),
      RUNS,
    );
  });
});

describe('SteadyTime', () => {
  it('never runs backwards and never leaps over what is due, however the clock is set', () => {
    const sets = fc.array(fc.record({ by: fc.integer({ min: -10_000_000, max: 10_000_000 }), dueIn: fc.option(fc.nat({ max: 60_000 }), { nil: undefined }) }), { maxLength: 50 });
    fc.assert(
      fc.property(sets, (all) => {
        let wall = 1_700_000_000_000;
        const time = new SteadyTime({ now: () => wall, setTimer: () => ({ cancel: () => undefined }) });
        for (const { by, dueIn } of all) {
          const before = time.now();
          time.dueAt = dueIn === undefined ? undefined : before + dueIn;
          wall += by;
          const after = time.now();
          expect(after).toBeGreaterThanOrEqual(before);
          if (dueIn !== undefined) expect(after).toBeLessThanOrEqual(before + dueIn + 10_000);
          if (by >= 0 && (dueIn === undefined || by <= dueIn)) expect(after).toBe(before + by);
        }
      }),
      RUNS,
    );
  });
});

/** The RESUME that the dialler made for the carrier before the newest: its epoch is one below. */
function sign(pair: Pair, wire: Wire): ResumeFrame {
  const { linkId, stats } = pair.machines.dialler;
  const resumption = new Resumption('dialler', linkId);
  resumption.setKey(KEY);
  for (let epoch = 1; epoch < stats.epoch - 1; epoch += 1) resumption.ask(wire.carrier, stats.received);
  return resumption.ask(wire.carrier, stats.received);
}

/** The frame with one bit of its MAC turned. */
function turned(frame: ResumeFrame, bit: number): ResumeFrame {
  const mac = Uint8Array.from(frame.mac);
  const at = Math.floor(bit / 8) % mac.length;
  mac[at] = (mac[at] ?? 0) ^ (1 << (bit % 8));
  return { ...frame, mac };
}
