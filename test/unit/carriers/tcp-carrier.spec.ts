// TCP carriers over real sockets of this machine.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TcpCarrier } from '../../../src/carriers/tcp-carrier.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { TestSink, TestSource, patternBytes } from '../../helpers/carrier-ends.ts';
import { EventClock, settle } from '../../helpers/event-clock.ts';
import { connectPair } from '../../helpers/tcp-pair.ts';
import type { CarrierSource } from '../../../src/carriers/carrier.ts';
import { quiet, until } from '../../helpers/waiting.ts';

const peer = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
const KiB = 1024;

function carry(socket: Socket, clock: Clock = realClock, early: Uint8Array = new Uint8Array(0)): TcpCarrier {
  return new TcpCarrier({ socket, kind: 'direct', addressClass: 'loopback', sid: 's', peer, clock, early });
}

/** A carrier, and the bare socket at its other end. */
async function carrierAndSocket(clock: Clock = realClock, early?: Uint8Array) {
  const [near, far] = await connectPair();
  const [source, sink] = [new TestSource(), new TestSink()];
  return { carrier: carry(near, clock, early), near, far, source, sink };
}

/** A consumer that takes a piece only when it is told to. */
class HeldSink extends TestSink {
  readonly releases: (() => void)[] = [];

  constructor() {
    super(() => new Promise((resolve) => this.releases.push(resolve)));
  }
}

describe('TcpCarrier', () => {
  it('carries bytes both ways at once, through pieces of any size', async () => {
    const [near, far] = await connectPair();
    const [a, b] = [carry(near), carry(far)];
    const [up, down] = [patternBytes(3_000_000, 1), patternBytes(2_000_000, 2)];
    const [sourceA, sourceB, sinkA, sinkB] = [new TestSource(), new TestSource(1000), new TestSink(), new TestSink()];
    sourceA.write(up);
    sourceB.write(down);
    a.start(sourceA, sinkA);
    b.start(sourceB, sinkB);
    await until(() => sinkB.length === up.length && sinkA.length === down.length);
    expect(Buffer.compare(sinkB.bytes, up)).toBe(0);
    expect(Buffer.compare(sinkA.bytes, down)).toBe(0);
    expect(a.stats).toEqual({ bytesIn: down.length, bytesOut: up.length, srttMs: 0 });
    await a.close();
  });

  it('takes bytes in the next turn once it is woken', async () => {
    const { carrier, source, sink, far } = await carrierAndSocket();
    carrier.start(source, sink);
    await settle();
    for (const byte of [1, 2, 3]) {
      source.write(Uint8Array.of(byte));
      carrier.wake();
    }
    expect(carrier.stats.bytesOut).toBe(0);
    const came = await new Promise<Buffer>((resolve) => far.once('data', resolve));
    expect([...came]).toEqual([1, 2, 3]);
  });

  it('stops taking when the peer reads nothing, and goes on when it does', async () => {
    const { carrier, near, source, sink, far } = await carrierAndSocket();
    const whole = patternBytes(64 * KiB * KiB);
    source.write(whole);
    carrier.start(source, sink);
    await quiet(() => carrier.stats.bytesOut);
    expect(carrier.stats.bytesOut).toBeLessThan(whole.length);
    expect(near.writableLength).toBeLessThanOrEqual(768 * KiB);
    let came = 0;
    far.on('data', (bytes) => {
      came += bytes.length;
    });
    await until(() => came === whole.length);
    expect(carrier.stats.bytesOut).toBe(whole.length);
  });

  it('reads no further than two pieces ahead of a sink that does not consume', async () => {
    const { carrier, source, far, near } = await carrierAndSocket();
    const sink = new HeldSink();
    carrier.start(source, sink);
    far.write(patternBytes(8 * KiB * KiB));
    await until(() => near.isPaused());
    await quiet(() => carrier.stats.bytesIn);
    expect(sink.parts).toHaveLength(1);
    expect(carrier.stats.bytesIn).toBeLessThanOrEqual(2 * 64 * KiB);
    // What a socket reads ahead by itself differs between versions of Node; one piece more may be on its way.
    expect(near.readableLength).toBeLessThanOrEqual(near.readableHighWaterMark + 64 * KiB);
    while (sink.length < 8 * KiB * KiB) {
      await until(() => sink.releases.length > 0);
      sink.releases.shift()?.();
    }
    expect(Buffer.compare(sink.bytes, patternBytes(8 * KiB * KiB))).toBe(0);
  });

  it('keeps what came before it was started, in order', async () => {
    const { carrier, source, sink, far } = await carrierAndSocket(realClock, Uint8Array.of(1, 2));
    far.write(Uint8Array.of(3, 4));
    await settle();
    expect(carrier.stats.bytesIn).toBe(2);
    carrier.start(source, sink);
    await until(() => sink.length === 4);
    expect([...sink.bytes]).toEqual([1, 2, 3, 4]);
  });

  it('reads no more than 64 KiB before it is started', async () => {
    const { far, near } = await carrierAndSocket();
    far.write(patternBytes(32 * KiB * KiB));
    await quiet(() => far.bytesWritten - far.writableLength);
    // What a socket reads ahead by itself differs between versions of Node; one piece more may be on its way.
    expect(near.readableLength).toBeLessThanOrEqual(near.readableHighWaterMark + 64 * KiB);
  });

  it('sends what it took before it closes, though the source closes as it hands it out', async () => {
    const { carrier, sink, far } = await carrierAndSocket();
    const parts: Buffer[] = [];
    far.on('data', (bytes) => parts.push(bytes));
    const ended = new Promise((resolve) => far.once('end', resolve));
    let closed: Promise<void> | undefined;
    let hasGiven = false;
    const takeOutgoing = (): Uint8Array => {
      if (hasGiven) throw new Error('taken after close');
      hasGiven = true;
      closed = carrier.close();
      return patternBytes(200_000);
    };
    carrier.start({ takeOutgoing }, sink);
    await ended;
    await closed;
    expect(Buffer.compare(Buffer.concat(parts), patternBytes(200_000))).toBe(0);
    expect(sink.faults).toEqual([]);
  });

  it('gives a peer that does not read five seconds to take the rest, then ends', async () => {
    const clock = new EventClock();
    const { carrier, near, source, sink } = await carrierAndSocket(clock);
    source.write(patternBytes(64 * KiB * KiB));
    carrier.start(source, sink);
    await quiet(() => carrier.stats.bytesOut);
    const closed = carrier.close();
    await settle();
    expect(near.destroyed).toBe(false);
    await clock.advance(5000);
    await closed;
    expect(near.destroyed).toBe(true);
    expect(sink.faults).toEqual([]);
  });

  it('drops what comes after its own close', async () => {
    const { carrier, source, sink, far } = await carrierAndSocket();
    carrier.start(source, sink);
    const closed = carrier.close();
    far.end(patternBytes(500_000));
    await closed;
    expect(sink.parts).toEqual([]);
    expect(sink.faults).toEqual([]);
    await carrier.close();
  });

  it('hands on all that came before the peer closed, then says so once', async () => {
    const { carrier, source, far } = await carrierAndSocket();
    const order: string[] = [];
    const sink = new HeldSink();
    carrier.start(source, {
      receive: async (bytes) => {
        await sink.receive(bytes);
        order.push('consumed');
      },
      closed: (fault) => order.push(fault.code),
    });
    far.end(patternBytes(100));
    await until(() => sink.releases.length === 1);
    await until(() => far.readyState !== 'open');
    expect(order).toEqual([]);
    sink.releases[0]?.();
    await until(() => order.length === 2);
    expect(order).toEqual(['consumed', 'not-connected']);
    await settle();
    expect(order).toHaveLength(2);
  });

  it('waits five seconds for a sink that does not consume the last bytes of a peer that closed', async () => {
    const clock = new EventClock();
    const { carrier, near, source, far } = await carrierAndSocket(clock);
    const sink = new HeldSink();
    carrier.start(source, sink);
    far.end(patternBytes(100));
    await until(() => near.readableEnded);
    expect(sink.faults).toEqual([]);
    await clock.advance(5000);
    expect(sink.faults).toMatchObject([{ code: 'not-connected' }]);
  });

  it('tells at once when the connection breaks', async () => {
    const { carrier, source, sink, far, near } = await carrierAndSocket();
    carrier.start(source, sink);
    await settle();
    far.resetAndDestroy();
    await until(() => sink.faults.length > 0);
    expect(sink.faults).toMatchObject([{ code: 'tcp' }]);
    expect(sink.faults[0]?.message).toContain('ECONNRESET');
    expect(near.destroyed).toBe(true);
    await carrier.close();
    expect(sink.faults).toHaveLength(1);
  });

  it('tells of a connection that broke before it was started', async () => {
    const { carrier, near, source, sink } = await carrierAndSocket();
    near.destroy(new Error('cable pulled'));
    await until(() => near.closed);
    carrier.start(source, sink);
    await settle();
    expect(sink.faults).toMatchObject([{ code: 'tcp' }]);
  });

  it.each([
    ['source', 'more than fits', { takeOutgoing: () => new Uint8Array(256 * KiB + 1) }, undefined],
    ['source', 'an error', { takeOutgoing: () => { throw new Error('broken'); } }, undefined],
    ['sink', 'an error', new TestSource(), () => Promise.reject(new Error('broken'))],
  ])('ends when its %s gives %s', async (_who, _what, source, consume) => {
    const { carrier, far, near } = await carrierAndSocket();
    const sink = new TestSink(consume);
    carrier.start(source, sink);
    far.write('x');
    await until(() => sink.faults.length > 0);
    expect(sink.faults).toMatchObject([{ code: 'internal' }]);
    expect(near.destroyed).toBe(true);
  });

  describe('through a proxy that may hold back the end of a burst', () => {
    /** A source that has probes until it is answered. */
    class ProbedSource extends TestSource implements CarrierSource {
      probes = 0;
      isAnswered = false;

      probe(): boolean {
        if (this.isAnswered) return false;
        this.probes += 1;
        this.write(Uint8Array.of(this.probes));
        return true;
      }
    }

    async function proxied(kind: 'socks5' | 'direct', length: number) {
      const clock = new EventClock();
      const [near, far] = await connectPair();
      const carrier = new TcpCarrier({ socket: near, kind, addressClass: 'proxy', sid: 's', peer, clock, early: new Uint8Array(0) });
      const source = new ProbedSource();
      let came = 0;
      far.on('data', (bytes) => {
        came += bytes.length;
      });
      source.write(new Uint8Array(length));
      carrier.start(source, new TestSink());
      await until(() => came === length);
      await settle();
      return { clock, carrier, source, came: () => came };
    }

    it('sends probes after it, ever less often, until the source says that all is answered for', async () => {
      const { clock, source, carrier, came } = await proxied('socks5', 4097);
      const probesAfter = async (ms: number): Promise<number> => {
        await clock.advance(ms);
        return source.probes;
      };
      expect([await probesAfter(4), await probesAfter(1), await probesAfter(15), await probesAfter(45)]).toEqual([0, 1, 2, 3]);
      await until(() => came() === 4100);
      expect(carrier.stats.bytesOut).toBe(4100);
      await probesAfter(60_000);
      const most = source.probes;
      expect(await probesAfter(20_000)).toBe(most + 10);
      source.isAnswered = true;
      expect(await probesAfter(20_000)).toBe(most + 10);
      await carrier.close();
    });

    it('begins again with the next burst, and stops with the end', async () => {
      const { clock, source, carrier } = await proxied('socks5', 5000);
      source.isAnswered = true;
      await clock.advance(10);
      source.isAnswered = false;
      source.write(new Uint8Array(5000));
      carrier.wake();
      await settle();
      await clock.advance(5);
      expect(source.probes).toBe(1);
      await carrier.close();
      await clock.advance(60_000);
      expect(source.probes).toBe(1);
    });

    it.each([
      ['a burst that fits one block', 'socks5', 4096],
      ['a direct connection', 'direct', 50_000],
    ] as const)('sends none for %s', async (_, kind, length) => {
      const { clock, source } = await proxied(kind, length);
      await clock.advance(60_000);
      expect(source.probes).toBe(0);
    });
  });

  it('is started once', async () => {
    const { carrier, source, sink } = await carrierAndSocket();
    carrier.start(source, sink);
    expect(() => carrier.start(source, sink)).toThrow('twice');
  });

  it('can be closed without ever being started', async () => {
    const { carrier, far, near } = await carrierAndSocket();
    far.resume();
    far.write(patternBytes(100));
    await carrier.close();
    expect(near.destroyed).toBe(true);
  });
});
