import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { PipeStream } from '../../../src/link/pipe-stream.ts';
import { patternBytes } from '../../helpers/carrier-ends.ts';
import { makeCarrierPair } from '../../helpers/carrier-pair.ts';
import type { CarrierPair, CarrierPairOptions } from '../../helpers/carrier-pair.ts';
import { newLinkId } from '../../helpers/link-world.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { quiet } from '../../helpers/waiting.ts';

interface Ends {
  readonly near: PipeStream;
  readonly far: PipeStream;
  readonly pair: CarrierPair;
  /** Why the near end has no carrier any more. */
  readonly detached: string[];
}

/** Two ends on one carrier; the far one was led there by an OPEN. */
function makeEnds({ clock = realClock, ...options }: CarrierPairOptions & { clock?: Clock; giveUpMs?: number; onSuspect?: () => void } = {}): Ends {
  const linkId = newLinkId();
  const detached: string[] = [];
  const pair = makeCarrierPair(options);
  const near = new PipeStream({ role: 'dialler', linkId, clock, onDetached: (why) => detached.push(why), ...options });
  const far = new PipeStream({ role: 'listener', linkId, clock, onDetached: () => undefined, ...options });
  near.attach(pair.near);
  // Whoever reads sees what a stream failed with; others need not.
  for (const end of [near, far]) end.on('error', () => undefined);
  // An acceptor reads OPEN off the front: here the far end's sink drops it.
  far.attach(skipOpen(pair.far));
  return { near, far, pair, detached };
}

const OPEN_BYTES = 5 + 1 + 16;

/** A carrier without its first frame. */
function skipOpen(carrier: CarrierPair['far']): CarrierPair['far'] {
  const start = carrier.start.bind(carrier);
  let left = OPEN_BYTES;
  carrier.start = (source, sink) =>
    start(source, {
      receive: (bytes) => {
        const skipped = Math.min(left, bytes.length);
        left -= skipped;
        return bytes.length > skipped ? sink.receive(bytes.subarray(skipped)) : Promise.resolve();
      },
      closed: (fault) => sink.closed(fault),
    });
  return carrier;
}

/** All that a stream gives until its end; rejects as the stream fails. */
function readAll(stream: PipeStream): Promise<Buffer> {
  const reading = (async () => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part);
    return Buffer.concat(parts);
  })();
  // It is awaited at the spec's own time.
  reading.catch(() => undefined);
  return reading;
}

describe('PipeStream', () => {
  it('tells whoever holds bulk back when a carrier has taken bytes', async () => {
    const { near, far } = makeEnds();
    far.resume();
    near.write(patternBytes(100_000));
    expect(near.unsentBytes).toBe(100_000);
    while (near.unsentBytes > 0) await once(near, 'taken');
    expect(near.stats.sent).toBe(100_000);
  });

  it('carries bytes both ways at once, exactly', async () => {
    const { near, far } = makeEnds({ block: 1000, window: 2 });
    const [there, back] = [patternBytes(150_000, 1), patternBytes(90_000, 2)];
    near.write(there);
    far.write(back);
    const read = async (stream: PipeStream, length: number): Promise<Buffer> => {
      const parts: Buffer[] = [];
      let got = 0;
      stream.on('data', (part: Buffer) => parts.push(part) && (got += part.length));
      while (got < length) await once(stream, 'data');
      return Buffer.concat(parts);
    };
    const [atFar, atNear] = await Promise.all([read(far, there.length), read(near, back.length)]);
    expect(Buffer.compare(atFar, there)).toBe(0);
    expect(Buffer.compare(atNear, back)).toBe(0);
    near.destroy();
    far.destroy();
  });

  it('ends at the other side behind the last byte, and both carriers are closed', async () => {
    const { near, far, pair } = makeEnds();
    const bytes = patternBytes(70_000);
    near.end(bytes);
    expect(Buffer.compare(await readAll(far), bytes)).toBe(0);
    near.resume();
    await once(near, 'close');
    expect([pair.near.isOver, pair.far.isOver]).toEqual([true, true]);
  });

  it('stops its writer when nobody reads, and goes on when somebody does', async () => {
    const { near, far } = makeEnds();
    const size = 12 << 20;
    let written = 0;
    const writing = (async () => {
      for (; written < size; written += 1 << 18) if (!near.write(patternBytes(1 << 18, written))) await once(near, 'drain');
      near.end();
    })();
    await quiet(() => written);
    // Replay of this side, window of the carrier, buffers of the two streams; not the whole.
    expect(written).toBeLessThan(5 << 20);
    const read = await readAll(far);
    await writing;
    expect(read.length).toBe(size);
    for (let at = 0; at < size; at += 1 << 18) expect(Buffer.compare(read.subarray(at, at + (1 << 18)), patternBytes(1 << 18, at))).toBe(0);
  });

  it('is destroyed, never ended, when its carrier is lost before it can be resumed', async () => {
    const { near, far, pair, detached } = makeEnds();
    near.write('hello');
    await once(far, 'readable');
    pair.cut();
    await expect(readAll(far)).rejects.toMatchObject({ code: 'timeout', message: 'the link was lost' });
    await expect(readAll(near)).rejects.toMatchObject({ code: 'timeout' });
    expect(detached).toEqual([]);
  });

  it('outlives its carrier once it can be resumed, and asks for another', async () => {
    const { near, pair, detached } = makeEnds();
    near.setResumeKey(new Uint8Array(32));
    pair.cut();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(detached).toEqual(['the carrier was cut']);
    expect(near.destroyed).toBe(false);
    expect(near.carrier).toBeUndefined();
    near.destroy();
  });

  it('fails the write that it cannot finish', async () => {
    const { near, pair } = makeEnds();
    const failed = new Promise((resolve) => near.write(new Uint8Array(8 << 20), resolve));
    pair.cut();
    expect(await failed).toMatchObject({ message: 'the link was lost' });
  });

  it('tells the other side what was wrong with its bytes', async () => {
    const { near, far, pair } = makeEnds();
    const failing = readAll(near);
    await pair.near.receive(Uint8Array.of(99, 0, 0, 0, 0));
    await expect(failing).rejects.toMatchObject({ code: 'timeout' });
    await expect(readAll(far)).rejects.toMatchObject({ code: 'timeout' });
    const CLOSE_BYTES = 6;
    expect(pair.far.stats.bytesIn).toBe(OPEN_BYTES + CLOSE_BYTES);
    expect(pair.near.isOver).toBe(true);
  });

  it('closes a carrier that it is offered when it is over', () => {
    const { near } = makeEnds();
    near.destroy();
    const late = makeCarrierPair();
    expect(near.attach(late.near)).toBeUndefined();
    expect(late.near.isOver).toBe(true);
  });

  it('closes its carrier five seconds after its end, though it never takes the last frame', async () => {
    const clock = new VirtualClock();
    const { near, pair } = makeEnds({ clock });
    await clock.pass(10);
    pair.near.isHeld = true;
    near.write('owed');
    near.destroy();
    await clock.pass(4_999);
    expect(pair.near.isOver).toBe(false);
    await clock.pass(2);
    expect(pair.near.isOver).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('is given up an hour after its carrier was lost', async () => {
    const clock = new VirtualClock();
    const { near, pair } = makeEnds({ clock });
    near.setResumeKey(new Uint8Array(32));
    const failing = readAll(near);
    pair.cut();
    await clock.pass(3_599_000);
    expect(near.destroyed).toBe(false);
    await clock.pass(2_000);
    await expect(failing).rejects.toMatchObject({ message: 'no way to the other device was found for too long' });
    expect(clock.timers).toBe(0);
  });

  it('looks into silence while somebody waits for an answer, and only then', async () => {
    const clock = new VirtualClock();
    const { near, pair, detached } = makeEnds({ clock });
    near.setResumeKey(new Uint8Array(32));
    for (let second = 0; second < 60; second += 1) await clock.pass(1000);
    expect([pair.total, detached]).toEqual([OPEN_BYTES, []]);
    pair.near.isHeld = true;
    near.setBusy(true);
    await clock.pass(21_000);
    expect(detached).toEqual(['nothing was heard for 20 s']);
    expect(pair.near.isOver).toBe(true);
    near.destroy();
  });

  it('is not given up for a night in which nothing ran, and still is after an hour of waiting', async () => {
    const clock = new VirtualClock();
    let slept = 0;
    const { near, pair } = makeEnds({ clock: { now: () => clock.now() + slept, setTimer: (ms, fire) => clock.setTimer(ms, fire) } });
    near.setResumeKey(new Uint8Array(32));
    const failing = readAll(near);
    pair.cut();
    await clock.pass(1_800_000);
    slept = 8 * 3_600_000;
    near.write('typed on waking');
    await clock.pass(1_700_000);
    expect(near.destroyed).toBe(false);
    await clock.pass(120_000);
    await expect(failing).rejects.toMatchObject({ message: 'no way to the other device was found for too long' });
  });

  it('tells that an in-band carrier fell silent, and not that one was cut', async () => {
    const clock = new VirtualClock();
    let suspected = 0;
    const { near, pair } = makeEnds({ clock, onSuspect: () => (suspected += 1) });
    near.setResumeKey(new Uint8Array(32));
    pair.near.isHeld = true;
    near.setBusy(true);
    await clock.pass(21_000);
    expect(suspected).toBe(1);
    near.destroy();
    const other = makeEnds({ clock, onSuspect: () => (suspected += 1) });
    other.near.setResumeKey(new Uint8Array(32));
    other.pair.cut();
    await clock.pass(1_000);
    expect(suspected).toBe(1);
    other.near.destroy();
  });

  it('bears a clock that is set back', async () => {
    const clock = new VirtualClock(2_000_000);
    let back = 0;
    const shaken: Clock = { now: () => clock.now() - back, setTimer: (ms, fire) => clock.setTimer(ms, fire) };
    const { near, far } = makeEnds({ clock: shaken });
    near.setBusy(true);
    await clock.pass(5_000);
    back = 1_000_000;
    near.write('a');
    await clock.pass(5_000);
    back = 0;
    near.write('b');
    await clock.pass(30_000);
    expect(Buffer.from(far.read() as Buffer).toString()).toBe('ab');
    expect(near.destroyed).toBe(false);
    near.destroy();
    far.destroy();
    await clock.pass(6_000);
  });
});
