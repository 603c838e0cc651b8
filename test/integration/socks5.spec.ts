// SOCKS5 bytestreams through a real server and its proxy.

import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatQuery } from '../../src/carriers/bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from '../../src/carriers/bytestreams-format.ts';
import type { Interfaces } from '../../src/carriers/addresses.ts';
import type { Carrier, CarrierSource } from '../../src/carriers/carrier.ts';
import { Socks5 } from '../../src/carriers/socks5.ts';
import type { DirectMode } from '../../src/home/settings-format.ts';
import { realClock } from '../../src/lib/clock.ts';
import type { Fault } from '../../src/lib/errors.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { createLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import { TestSource, patternBytes } from '../helpers/carrier-ends.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startStreamhost } from '../helpers/streamhosts.ts';
import { until } from '../helpers/waiting.ts';

const log = createLog(() => undefined, 'warn', () => 0);
const LENGTH = 20_000_000;
/** More than the block that the proxy reads, and no multiple of it. */
const BURST = 5000;
const PATIENCE_MS = 30_000;
/** A machine that has nothing but itself, so that no spec depends on the one it runs on. */
const LOOPBACK: Interfaces = { lo: [{ address: '127.0.0.1', internal: true }] };

interface Party {
  readonly connection: Connection;
  readonly socks5: Socks5;
  /** What peers have opened. */
  readonly accepted: Carrier[];
}

async function signIn(server: Prosody, name: string, mode: DirectMode = 'private'): Promise<Party> {
  const connection = await connect({
    account: { jid: parseBareJid(`${name}@localhost`), server: { host: server.host, port: server.port, isDirectTls: false }, ca: server.caPem },
    password: `pw-${name}`,
    resource: `git-xmpp-${randomBytes(4).toString('hex')}`,
    clock: realClock,
    log,
  });
  onTestFinished(() => connection.close());
  const socks5 = new Socks5({
    connection,
    clock: realClock,
    log,
    random: (size) => randomBytes(size),
    mode: () => mode,
    interfaces: () => LOOPBACK,
  });
  onTestFinished(() => socks5.stop());
  const accepted: Carrier[] = [];
  socks5.onCarrier((carrier) => accepted.push(carrier));
  return { connection, socks5, accepted };
}

/** Anna offers, Ben expects, Anna opens. */
async function openStream(anna: Party, ben: Party): Promise<{ there: Carrier; here: Carrier }> {
  const offer = await anna.socks5.prepare(ben.connection.jid);
  ben.socks5.expect(anna.connection.jid, offer, PATIENCE_MS);
  const there = await offer.open();
  const here = ben.accepted.shift();
  if (here === undefined) throw new Error('nothing was accepted');
  return { there, here };
}

/** Sends different bytes each way at once; compares hashes at both ends. */
async function exchange(there: Carrier, here: Carrier): Promise<void> {
  const [up, down] = [patternBytes(LENGTH, 1), patternBytes(LENGTH, 2)];
  const [gotUp, gotDown] = [start(here, down, up.length), start(there, up, down.length)];
  expect(await gotUp.hash).toBe(hashOf(up));
  gotDown.source.isAnswered = true;
  expect(await gotDown.hash).toBe(hashOf(down));
  gotUp.source.isAnswered = true;
  await there.close();
  expect((await gotUp.closed).code).toBe('not-connected');
}

describe('Socks5 on Prosody', () => {
  let server: Prosody;
  beforeAll(async () => {
    server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' }, hasSmResume: false });
  });
  afterAll(() => server.stop());

  it.each([
    ['directly', 'private', 'direct', 'loopback'],
    ['through the proxy', 'off', 'socks5', 'proxy'],
  ] as const)('carries 20 MB both ways at once %s', async (_, mode, kind, addressClass) => {
    const [anna, ben] = [await signIn(server, 'anna', mode), await signIn(server, 'ben', mode)];
    const { there, here } = await openStream(anna, ben);
    for (const end of [there, here]) expect([end.kind, end.addressClass]).toEqual([kind, addressClass]);
    expect([there.peer, here.peer, there.sid]).toEqual([ben.connection.jid, anna.connection.jid, here.sid]);
    await exchange(there, here);
  });

  it('does not wait for the end of a burst that the proxy keeps until more comes', async () => {
    const [anna, ben] = [await signIn(server, 'anna', 'off'), await signIn(server, 'ben', 'off')];
    const { there, here } = await openStream(anna, ben);
    const source = new ProbedSource();
    let [came, answered] = [0, 0];
    here.start(new TestSource(), {
      receive: async (bytes) => {
        came += bytes.length;
        if (came >= answered + BURST) source.isAnswered = true;
      },
      closed: () => undefined,
    });
    there.start(source, { receive: () => Promise.resolve(), closed: () => undefined });
    for (let burst = 0; burst < 20; burst += 1) {
      answered = came;
      source.isAnswered = false;
      source.write(patternBytes(BURST));
      there.wake();
      await until(() => source.isAnswered);
    }
    await there.close();
  });

  it('offers its own addresses first, then the proxy', async () => {
    const anna = await signIn(server, 'anna');
    const offer = await anna.socks5.prepare(anna.connection.jid);
    onTestFinished(() => offer.cancel());
    expect(offer.streamhosts).toEqual([
      { jid: anna.connection.jid, host: '127.0.0.1', port: expect.any(Number) },
      { jid: 'proxy.localhost', host: '127.0.0.1', port: server.proxyPort },
    ]);
  });

  it('keeps a stream that is open when both XMPP connections end', async () => {
    const [anna, ben] = [await signIn(server, 'anna', 'off'), await signIn(server, 'ben', 'off')];
    const { there, here } = await openStream(anna, ben);
    for (const party of [anna, ben]) {
      party.socks5.stop();
      await party.connection.close();
    }
    await exchange(there, here);
  });

  it('listens no longer than an offer is pending', async () => {
    const [anna, ben] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
    const { there, here } = await openStream(anna, ben);
    const cancelled = await anna.socks5.prepare(ben.connection.jid);
    const [own] = cancelled.streamhosts;
    expect(await canConnect(own)).toBe(true);
    cancelled.cancel();
    await expect(cancelled.open()).rejects.toMatchObject({ code: 'not-connected' });
    await until(async () => !(await canConnect(own)));
    await Promise.all([there.close(), here.close()]);
  });

  describe('asked for what was not offered inside a link', () => {
    it.each([
      ['nothing was offered', 'not-acceptable', () => undefined],
      ['another sid was', 'not-acceptable', (offer: BytestreamOffer) => ({ ...offer, sid: 'other' })],
      ['another port was', 'not-acceptable', ({ sid, streamhosts }: BytestreamOffer) => ({ sid, streamhosts: streamhosts.map((one) => ({ ...one, port: one.port === 1 ? 2 : 1 })) })],
    ] as const)('refuses, counts and connects to nothing where %s', async (_, condition, told) => {
      const [anna, ben] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
      const trap = await startStreamhost('accepts anyone');
      const offer = { sid: 'stream', streamhosts: [{ jid: anna.connection.jid, host: trap.host, port: trap.port }] };
      const inside = told(offer);
      if (inside !== undefined) ben.socks5.expect(anna.connection.jid, inside, PATIENCE_MS);
      await expect(anna.connection.iq('set', ben.connection.jid, formatQuery(offer))).rejects.toMatchObject({ condition });
      expect(ben.socks5.refused).toBe(1);
      expect([trap.accepted, ben.accepted.length]).toEqual([0, 0]);
    });

    it('refuses a query from another resource of the same account, and leaves the offer as it is', async () => {
      const [anna, other, ben] = [await signIn(server, 'anna'), await signIn(server, 'anna'), await signIn(server, 'ben')];
      const offer = await anna.socks5.prepare(ben.connection.jid);
      ben.socks5.expect(anna.connection.jid, offer, PATIENCE_MS);
      await expect(other.connection.iq('set', ben.connection.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'not-acceptable' });
      const carrier = await offer.open();
      await expect(anna.connection.iq('set', ben.connection.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'not-acceptable' });
      expect(ben.socks5.refused).toBe(2);
      await carrier.close();
    });
  });

  it('goes past streamhosts that misbehave to the next one, and leaves nothing open at them', async () => {
    const [anna, ben] = [await signIn(server, 'anna', 'private'), await signIn(server, 'ben', 'private')];
    const bad = [
      await startStreamhost('closes at once'),
      await startStreamhost('is no SOCKS5'),
      await startStreamhost('refuses'),
      await startStreamhost('answers for another stream'),
      await startStreamhost('says nothing'),
      await startStreamhost('stops in the middle'),
    ];
    const streamhosts = [
      ...bad.map(({ host, port }): Streamhost => ({ jid: anna.connection.jid, host, port })),
      { jid: 'proxy.localhost', host: '127.0.0.1', port: server.proxyPort },
    ];
    const offer = { sid: randomBytes(16).toString('base64url'), streamhosts };
    ben.socks5.expect(anna.connection.jid, offer, PATIENCE_MS);
    const used = await anna.connection.iq('set', ben.connection.jid, formatQuery(offer));
    expect(used?.getChild('streamhost-used')?.attrs['jid']).toBe('proxy.localhost');
    expect(ben.accepted).toMatchObject([{ kind: 'socks5' }]);
    expect(bad.map(({ accepted }) => accepted)).toEqual([1, 1, 1, 1, 1, 1]);
    // The last two had not had their time when the proxy gave the stream.
    expect(ben.socks5.refused).toBe(4);
    await until(() => bad.every(({ open }) => open === 0));
    await ben.accepted[0]?.close();
  });

  it('answers item-not-found when no streamhost gives the stream', async () => {
    const [anna, ben] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
    const bad = [await startStreamhost('says nothing'), await startStreamhost('refuses')];
    const streamhosts = bad.map(({ host, port }): Streamhost => ({ jid: anna.connection.jid, host, port }));
    // The proxy is named with a port that it does not name itself, so that one is not even connected to.
    const trap = await startStreamhost('accepts anyone');
    const offer = { sid: 'stream', streamhosts: [...streamhosts, { jid: 'proxy.localhost', host: trap.host, port: trap.port }] };
    ben.socks5.expect(anna.connection.jid, offer, PATIENCE_MS);
    await expect(anna.connection.iq('set', ben.connection.jid, formatQuery(offer))).rejects.toMatchObject({ condition: 'item-not-found' });
    expect([trap.accepted, ben.accepted.length]).toEqual([0, 0]);
    await until(() => bad.every(({ open }) => open === 0));
  });

  it('says which peer is not there', async () => {
    const anna = await signIn(server, 'anna');
    const offer = await anna.socks5.prepare(parseFullJid('ben@localhost/nobody'));
    await expect(offer.open()).rejects.toMatchObject({ code: 'peer-offline' });
    await until(async () => !(await canConnect(offer.streamhosts[0])));
  });

  it('says that a peer claims a connection which never came', async () => {
    const [anna, ben] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
    const trap = await startStreamhost('accepts anyone');
    const offer = await anna.socks5.prepare(ben.connection.jid);
    ben.socks5.stop();
    ben.connection.handleIq('http://jabber.org/protocol/bytestreams', 'query', async ({ payload }) => {
      const answer = formatQuery({ sid: offer.sid, streamhosts: [] });
      answer.c('streamhost-used', { jid: anna.connection.jid });
      expect(payload.attrs['sid']).toBe(offer.sid);
      return answer;
    });
    await expect(offer.open()).rejects.toMatchObject({ code: 'server' });
    expect(trap.accepted).toBe(0);
  });
});

describe('Socks5 with a proxy that misbehaves', () => {
  let server: Prosody;
  beforeAll(async () => {
    server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' }, proxyAddress: '127.0.0.2', hasSmResume: false });
  });
  afterAll(() => server.stop());

  it.each([
    ['is down', undefined, 'tcp', 'reached none of the addresses'],
    ['closes at once', 'closes at once', 'tcp', 'reached none of the addresses'],
    ['does not know the stream it is to activate', 'accepts anyone', 'server', 'did not activate'],
  ] as const)('ends with a clear fault where it %s, and offers it no more', async (_, behaviour, code, words) => {
    const proxy = behaviour === undefined ? undefined : await startStreamhost(behaviour, '127.0.0.2', server.proxyPort);
    const [anna, ben] = [await signIn(server, 'anna', 'off'), await signIn(server, 'ben', 'off')];
    const offer = await anna.socks5.prepare(ben.connection.jid);
    expect(offer.streamhosts).toEqual([{ jid: 'proxy.localhost', host: '127.0.0.2', port: server.proxyPort }]);
    ben.socks5.expect(anna.connection.jid, offer, PATIENCE_MS);
    await expect(offer.open()).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    for (const carrier of ben.accepted) await carrier.close();
    await until(() => proxy === undefined || proxy.open === 0);
    if (code === 'server') await expect(anna.socks5.prepare(ben.connection.jid)).rejects.toMatchObject({ code: 'tcp' });
  });

  it('goes directly where it is down', async () => {
    const [anna, ben] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
    const { there, here } = await openStream(anna, ben);
    expect([there.kind, here.kind]).toEqual(['direct', 'direct']);
    await Promise.all([there.close(), here.close()]);
  });
});

/** Has probes, of a byte each, until the other end has all: what the answer of a pipe is. */
class ProbedSource extends TestSource implements CarrierSource {
  isAnswered = false;

  probe(): boolean {
    if (!this.isAnswered) this.write(Uint8Array.of(0));
    return !this.isAnswered;
  }
}

/** Sends `bytes` over `carrier`, and hashes the `expected` ones that come; what comes behind them are probes. */
function start(carrier: Carrier, bytes: Uint8Array, expected: number): { readonly hash: Promise<string>; readonly closed: Promise<Fault>; readonly source: ProbedSource } {
  const source = new ProbedSource();
  source.write(bytes);
  const digest = createHash('sha256');
  let [length, all] = [0, (_hash: string): void => undefined];
  const hash = new Promise<string>((resolve) => {
    all = resolve;
  });
  const closed = new Promise<Fault>((resolve) => {
    const receive = async (part: Uint8Array): Promise<void> => {
      if (length >= expected) return;
      digest.update(part.subarray(0, expected - length));
      length += part.length;
      if (length >= expected) all(digest.digest('hex'));
    };
    carrier.start(source, { receive, closed: resolve });
  });
  return { hash, closed, source };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function canConnect(streamhost: Streamhost | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: streamhost?.host ?? '', port: streamhost?.port ?? 0 });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
