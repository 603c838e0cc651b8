// Two agents with SOCKS5 streams, joined by a server in memory, with real sockets between them.

import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DirectMode } from '../../../src/home/settings-format.ts';
import { formatQuery } from '../../../src/carriers/bytestreams-format.ts';
import type { BytestreamOffer } from '../../../src/carriers/bytestreams-format.ts';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { Socks5 } from '../../../src/carriers/socks5.ts';
import type { Socks5Options } from '../../../src/carriers/socks5.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { createLog } from '../../../src/lib/log.ts';
import { NS_BYTESTREAMS } from '../../../src/xmpp/namespaces.ts';
import { TestSink, TestSource } from '../../helpers/carrier-ends.ts';
import { EventClock, settle } from '../../helpers/event-clock.ts';
import { createIqPair } from '../../helpers/iq-pair.ts';
import type { FakeConnection } from '../../helpers/iq-pair.ts';
import { startStreamhost } from '../../helpers/streamhosts.ts';
import { until } from '../../helpers/waiting.ts';

function agents(options: { readonly clock?: Clock; readonly mode?: DirectMode } & Partial<Pick<Socks5Options, 'isWelcome'>> = {}) {
  const { clock = realClock, mode = 'private', isWelcome } = options;
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), 'info', () => 0);
  const pair = createIqPair(clock);
  const make = (connection: FakeConnection): Socks5 => {
    const interfaces = () => ({ lo: [{ address: '127.0.0.1', internal: true }] });
    const common = { connection, clock, log, random: (size: number) => randomBytes(size), mode: () => mode, interfaces };
    const socks5 = new Socks5(isWelcome === undefined ? common : { ...common, isWelcome });
    onTestFinished(() => socks5.stop());
    return socks5;
  };
  const [socksA, socksB] = [make(pair.a), make(pair.b)];
  const accepted: Carrier[] = [];
  socksB.onCarrier((carrier) => accepted.push(carrier));
  const open = async (): Promise<Carrier> => {
    const offer = await socksA.prepare(pair.b.jid);
    socksB.expect(pair.a.jid, offer, 30_000);
    return offer.open();
  };
  return { ...pair, socksA, socksB, accepted, open, lines };
}

describe('Socks5', () => {
  it('opens a direct stream between two agents', async () => {
    const { open, accepted, a, b } = agents();
    const near = await open();
    const [far] = accepted;
    const [source, sink] = [new TestSource(), new TestSink()];
    far?.start(new TestSource(), sink);
    near.start(source, new TestSink());
    source.write(Buffer.from('hello'));
    near.wake();
    await until(() => sink.length === 5);
    expect(near).toMatchObject({ kind: 'direct', peer: b.jid });
    expect(far).toMatchObject({ kind: 'direct', peer: a.jid, sid: near.sid });
    await near.close();
  });

  it('names its streams by an unguessable NMTOKEN', async () => {
    const { socksA, b } = agents();
    const [one, two] = [await socksA.prepare(b.jid), await socksA.prepare(b.jid)];
    expect(one.sid).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(two.sid).not.toBe(one.sid);
  });

  it('says so when there is neither an address nor a proxy', async () => {
    const { socksA, b } = agents({ mode: 'off' });
    await expect(socksA.prepare(b.jid)).rejects.toMatchObject({ code: 'tcp', message: 'there is no address to offer and no proxy' });
  });

  it('has sixteen offers pending at most', async () => {
    const { socksA, b } = agents();
    const offers = [];
    for (let count = 0; count < 16; count += 1) offers.push(await socksA.prepare(b.jid));
    await expect(socksA.prepare(b.jid)).rejects.toMatchObject({ code: 'throttled' });
    offers[0]?.cancel();
    await socksA.prepare(b.jid);
  });

  it('takes an offer back that nobody opens within a minute', async () => {
    const clock = new EventClock();
    const { socksA, b } = agents({ clock });
    const preparing = socksA.prepare(b.jid);
    let offer: Awaited<typeof preparing> | undefined;
    await until(async () => {
      await clock.advance(1);
      void preparing.then((one) => (offer = one));
      await settle();
      return offer !== undefined;
    });
    await clock.advance(60_000);
    await expect(offer?.open()).rejects.toMatchObject({ code: 'timeout' });
  });

  it('ends its offers and takes no more when the connection ends, and keeps open streams', async () => {
    const { socksA, socksB, open, accepted, a, b } = agents();
    const near = await open();
    const [offer, sink] = [await socksA.prepare(b.jid), new TestSink()];
    accepted[0]?.start(new TestSource(), sink);
    const fault = new Fault('tcp', 'cable pulled');
    a.drop(fault);
    b.drop(fault);
    await expect(offer.open()).rejects.toBe(fault);
    await expect(socksA.prepare(b.jid)).rejects.toBe(fault);
    expect(() => socksB.expect(a.jid, offer, 1000)).toThrow(fault);
    const source = new TestSource();
    source.write(Buffer.from('still here'));
    near.start(source, new TestSink());
    await until(() => sink.length === 10);
    await near.close();
  });

  it('ends an open that is under way when the connection ends', async () => {
    const { socksA, a, b } = agents();
    b.handleIq(NS_BYTESTREAMS, 'query', () => new Promise(() => undefined));
    const offer = await socksA.prepare(b.jid);
    const opening = expect(offer.open()).rejects.toMatchObject({ code: 'tcp' });
    await until(() => a.sent.some((text) => text.includes('streamhost')));
    a.drop();
    await opening;
  });

  it('closes a stream that nobody starts within ten seconds', async () => {
    const clock = new EventClock();
    const { socksA, socksB, accepted, a, b } = agents({ clock });
    const isOver = { near: false };
    const preparing = socksA.prepare(b.jid).then(async (offer) => {
      socksB.expect(a.jid, offer, 30_000);
      const near = await offer.open();
      near.start(new TestSource(), { receive: () => Promise.resolve(), closed: () => (isOver.near = true) });
    });
    await until(async () => {
      await clock.advance(1);
      return accepted.length === 1;
    });
    await until(async () => {
      await clock.advance(1);
      return Promise.race([preparing.then(() => true), settle().then(() => false)]);
    });
    expect(isOver.near).toBe(false);
    await clock.advance(10_000);
    await until(() => isOver.near);
  });

  it('refuses the stream that its listener fails to take, and closes it', async () => {
    const { socksB, open } = agents();
    let handed: Carrier | undefined;
    socksB.onCarrier((carrier) => {
      handed = carrier;
      throw new Error('no');
    });
    await expect(open()).rejects.toMatchObject({ code: 'server', message: expect.stringContaining('not-acceptable') });
    const sink = new TestSink();
    await handed?.close();
    handed?.start(new TestSource(), sink);
    expect(sink.parts).toEqual([]);
  });
});

describe('Socks5, asked by a peer that speaks raw stanzas', () => {
  const offerAt = (jid: string, port: number): BytestreamOffer => ({ sid: 's', streamhosts: [{ jid, host: '127.0.0.1', port }] });

  it('refuses what was not offered inside a link, counts all and logs one', async () => {
    const { a, b, socksB, lines } = agents();
    const trap = await startStreamhost('accepts anyone');
    const offer = offerAt(a.jid, trap.port);
    socksB.expect(a.jid, { ...offer, sid: 'other' }, 30_000);
    for (let count = 0; count < 3; count += 1) {
      await expect(a.iq('set', b.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'not-acceptable' });
    }
    expect([socksB.refused, trap.accepted]).toEqual([3, 0]);
    expect(lines.filter((line) => line.includes('refused'))).toHaveLength(1);
  });

  it('answers malformed queries with bad-request, and those for a proxy with not-acceptable', async () => {
    const { a, b, socksB } = agents();
    const wrong = formatQuery({ sid: 's', streamhosts: [] });
    await expect(a.iq('set', b.jid, wrong)).rejects.toMatchObject({ condition: 'bad-request' });
    await expect(a.iq('get', b.jid, wrong)).rejects.toMatchObject({ condition: 'not-acceptable' });
    expect(socksB.refused).toBe(2);
  });

  it('refuses everybody while nobody listens, and those who are not welcome', async () => {
    const stranger = agents({ isWelcome: () => false });
    await expect(stranger.open()).rejects.toMatchObject({ code: 'server' });
    expect(stranger.accepted).toEqual([]);
    const { a, b, socksB } = agents();
    const trap = await startStreamhost('accepts anyone');
    const unheard = new Socks5({
      connection: b,
      clock: realClock,
      log: createLog(() => undefined, 'warn', () => 0),
      random: (size) => randomBytes(size),
      mode: () => 'private',
      interfaces: () => ({}),
    });
    unheard.expect(a.jid, offerAt(a.jid, trap.port), 30_000);
    await expect(a.iq('set', b.jid, formatQuery(offerAt(a.jid, trap.port)))).rejects.toMatchObject({ condition: 'not-acceptable' });
    expect([unheard.refused, socksB.refused, trap.accepted]).toEqual([1, 0, 0]);
  });

  it('connects sixteen at once and no more, however fast they are offered', async () => {
    const { a, b, socksB } = agents();
    const silent = await startStreamhost('says nothing');
    const ask = (sid: string): Promise<unknown> => {
      const offer = { ...offerAt(a.jid, silent.port), sid };
      socksB.expect(a.jid, offer, 30_000);
      return a.iq('set', b.jid, formatQuery(offer));
    };
    const asked: Promise<unknown>[] = [];
    for (let count = 1; count <= 16; count += 1) {
      asked.push(ask(`s${count}`).catch(() => undefined));
      await until(() => silent.accepted === count);
    }
    await expect(ask('more')).rejects.toMatchObject({ condition: 'resource-constraint' });
    expect(silent.accepted).toBe(16);
    socksB.stop();
    await Promise.all(asked);
  });

  it('answers item-not-found when no streamhost gives the stream, and has then used the offer up', async () => {
    const { a, b, socksB, accepted } = agents();
    const bad = await startStreamhost('refuses');
    const offer = offerAt(a.jid, bad.port);
    socksB.expect(a.jid, offer, 30_000);
    await expect(a.iq('set', b.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'item-not-found' });
    await expect(a.iq('set', b.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'not-acceptable' });
    expect([bad.accepted, accepted.length]).toEqual([1, 0]);
  });
});
