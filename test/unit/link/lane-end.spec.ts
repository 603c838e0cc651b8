// Both ends of a bulk lane over a path that falls silent, on a clock that a spec moves.

import { describe, expect, it } from 'vitest';
import { LaneIn } from '../../../src/link/lane-in.ts';
import { LaneOut } from '../../../src/link/lane-out.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { quiet, until } from '../../helpers/waiting.ts';

interface Ends {
  readonly clock: VirtualClock;
  readonly out: LaneOut;
  readonly into: LaneIn;
  readonly acked: number[];
  readonly parts: Uint8Array[];
  readonly told: string[];
  /** How often something came from the end that sends. */
  readonly heard: () => number;
  /** Both directions go nowhere from now on. */
  readonly swallow: () => void;
}

/** A lane that begins at offset 1000. */
async function makeLane(isProxied = false): Promise<Ends> {
  const clock = new VirtualClock();
  const [near, wire] = duplexPair();
  const [otherWire, far] = duplexPair();
  let [isSwallowing, heard] = [false, 0];
  wire.on('data', (bytes: Buffer) => {
    heard += 1;
    if (!isSwallowing) otherWire.write(bytes);
  });
  otherWire.on('data', (bytes: Buffer) => {
    if (!isSwallowing) wire.write(bytes);
  });
  const [acked, parts, told]: [number[], Uint8Array[], string[]] = [[], [], []];
  let start: number | undefined;
  const into = new LaneIn({ stream: far, clock, isProxied }, {
    started: (offset) => (start = offset),
    part: (bytes) => parts.push(bytes),
    read: () => undefined,
    done: () => told.push('done'),
    fault: (why) => told.push(`fault: ${why}`),
    lost: (why) => told.push(`in: ${why}`),
  });
  const out = new LaneOut({ stream: near, clock, isProxied }, 1000, {
    acknowledged: (offset) => acked.push(offset),
    drained: () => undefined,
    lost: (why) => told.push(`out: ${why}`),
  });
  await until(() => start === 1000);
  return { clock, out, into, acked, parts, told, heard: () => heard, swallow: () => (isSwallowing = true) };
}

describe('a bulk lane', () => {
  it('is acknowledged a moment later, or at once after much', async () => {
    const { clock, out, into: end, acked, parts } = await makeLane();
    out.send(Buffer.from('hello'));
    await until(() => Buffer.concat(parts).length === 5);
    end.received(1005);
    await clock.pass(9);
    expect(acked).toEqual([]);
    await clock.pass(2);
    await until(() => acked.length > 0);
    end.received(1005 + 300_000);
    await until(() => acked.length > 1);
    expect(acked).toEqual([1005, 301_005]);
  });

  it('lives on while nothing is to be sent', async () => {
    const { clock, told } = await makeLane();
    for (let second = 0; second < 120; second += 1) {
      await clock.pass(1000);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told).toEqual([]);
  });

  it('is given up by both ends where nothing comes through for 15 s', async () => {
    const { clock, told, swallow } = await makeLane();
    swallow();
    await clock.pass(14_000);
    expect(told).toEqual([]);
    await clock.pass(7_000);
    expect(told.sort()).toEqual(['in: nothing is heard on it', 'out: nothing is heard on it']);
    expect(clock.timers).toBe(0);
  });

  it('is not given up by an end that does not read, for want of a reader', async () => {
    const { clock, into: end, told, swallow } = await makeLane();
    end.pause();
    swallow();
    await clock.pass(60_000);
    expect(told).toEqual(['out: nothing is heard on it']);
  });

  it('ends without a loss once it is done', async () => {
    const { out, told } = await makeLane();
    out.done();
    await until(() => told.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toEqual(['done']);
  });

  it('through a proxy is followed by something until all is acknowledged, ever more rarely', async () => {
    const { clock, out, into, parts, acked, heard } = await makeLane(true);
    out.send(Buffer.from('hello'));
    await until(() => Buffer.concat(parts).length === 5);
    const before = heard();
    await clock.pass(500);
    await quiet(heard);
    // After 5 ms, and three times later each time: 5, 20, 65, 200.
    expect(heard() - before).toBe(4);
    into.received(1005);
    await clock.pass(20);
    await until(() => acked.includes(1005));
    const after = heard();
    await clock.pass(3_000);
    await quiet(heard);
    expect(heard()).toBe(after);
  });
});
