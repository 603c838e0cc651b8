import { describe, expect, it } from 'vitest';
import type { Interfaces } from '../../../src/carriers/addresses.ts';
import type { DirectMode } from '../../../src/home/settings-format.ts';
import { destinationOf } from '../../../src/carriers/bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from '../../../src/carriers/bytestreams-format.ts';
import { ExpectedStreams } from '../../../src/carriers/expected-streams.ts';
import { Socks5Server } from '../../../src/carriers/socks5-machine.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { createLog } from '../../../src/lib/log.ts';
import { EventClock } from '../../helpers/event-clock.ts';
import { startStreamhost } from '../../helpers/streamhosts.ts';
import { listenLocally } from '../../helpers/tcp-pair.ts';
import { until } from '../../helpers/waiting.ts';
import { findFreePorts } from '../../helpers/ports.ts';

const log = createLog(() => undefined, 'warn', () => 0);
const anna = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
const ben = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
const LOOPBACK: Interfaces = { lo: [{ address: '127.0.0.1', internal: true }] };

interface Settings {
  readonly clock?: Clock;
  readonly mode?: DirectMode;
  readonly isGenuine?: (streamhost: Streamhost) => Promise<boolean>;
}

/** Ben, who expects streams of Anna. */
function target({ clock = realClock, mode = 'private', isGenuine = () => Promise.resolve(true) }: Settings = {}) {
  const stop = new AbortController();
  const asked: string[] = [];
  const proxies = {
    isGenuine: (streamhost: Streamhost): Promise<boolean> => {
      asked.push(streamhost.jid);
      return isGenuine(streamhost);
    },
  };
  const wrong: string[] = [];
  const onWrong = (peer: string): void => void wrong.push(peer);
  const expected = new ExpectedStreams({ jid: ben, proxies, clock, log, mode: () => mode, interfaces: () => LOOPBACK, signal: stop.signal, onWrong });
  return { expected, stop, asked, wrong };
}

function offerOf(...streamhosts: readonly { readonly jid?: string; readonly host: string; readonly port: number }[]): BytestreamOffer {
  return { sid: 's', streamhosts: streamhosts.map(({ jid = anna, host, port }) => ({ jid, host, port })) };
}

/** A streamhost that gives the stream that is asked for, if it is the right one. */
function goodStreamhost(sid = 's') {
  return listenLocally((socket) => {
    const machine = new Socks5Server((name) => name === destinationOf(sid, anna, ben));
    socket.on('data', (bytes) => socket.write(machine.receive(bytes).send));
  });
}

const OFFER = offerOf({ host: '127.0.0.1', port: 1 });
const named = (sid: string): BytestreamOffer => ({ ...OFFER, sid });

describe('what ExpectedStreams acts on', () => {
  it('is the same offer, from the same address, once', () => {
    const { expected } = target();
    expected.expect(anna, OFFER, 1000);
    expect(expected.take(ben, OFFER)).toBeUndefined();
    expect(expected.take(anna, named('other'))).toBeUndefined();
    expect(expected.take(anna, offerOf({ host: '127.0.0.1', port: 2 }))).toBeUndefined();
    expect(expected.take(anna, structuredClone(OFFER))).toEqual(OFFER);
    expect(expected.take(anna, OFFER)).toBeUndefined();
  });

  it('is forgotten when its time is over, or the caller says so', async () => {
    const clock = new EventClock();
    const { expected } = target({ clock });
    expected.expect(anna, OFFER, 1000);
    const forget = expected.expect(anna, named('second'), 1000);
    forget();
    expect(expected.take(anna, named('second'))).toBeUndefined();
    await clock.advance(1000);
    expect(expected.take(anna, OFFER)).toBeUndefined();
    expected.expect(anna, OFFER, 1000);
    expected.clear();
    expect(expected.take(anna, OFFER)).toBeUndefined();
  });

  it('is two offers of a device and sixteen in all', () => {
    const { expected } = target();
    expected.expect(anna, OFFER, 1000);
    expect(() => expected.expect(anna, OFFER, 1000)).toThrow('twice');
    expected.expect(anna, named('second'), 1000);
    expect(() => expected.expect(anna, named('third'), 1000)).toThrow('more streams than');
    // Whatever resources of its account a device names, it is that device.
    const elsewhere = parseFullJid('anna@one.example/elsewhere');
    expect(() => expected.expect(elsewhere, named('fourth'), 1000, anna)).toThrow('more streams than');
    for (let count = 0; count < 14; count += 1) expected.expect(parseFullJid(`cleo@three.example/${count}`), OFFER, 1000);
    expect(() => expected.expect(ben, OFFER, 1000)).toThrow('more streams than');
  });

  it('has its proxies asked before the query comes, four at most and each once', () => {
    const { expected, asked } = target();
    const of = (jid: string) => ({ jid, host: '192.0.2.1', port: 1 });
    expected.expect(anna, offerOf(of(anna), of('p0.example'), of('p0.example'), of('dan@one.example/x'), of('p1.example'), of('p2.example'), of('p3.example'), of('p4.example')), 1000);
    expect(asked).toEqual(['p0.example', 'p1.example', 'p2.example', 'p3.example']);
  });
});

describe('ExpectedStreams.connect', () => {
  it('connects to the streamhost of the peer', async () => {
    const streamhost = await goodStreamhost();
    const found = await target().expected.connect(anna, offerOf(streamhost));
    expect(found?.streamhost).toEqual({ jid: anna, host: '127.0.0.1', port: streamhost.port });
    expect(found?.carrier).toMatchObject({ kind: 'direct', addressClass: 'loopback', sid: 's', peer: anna });
    void found?.carrier.close();
  });

  it('tells of a streamhost that answered and lied, and of none that was not there', async () => {
    const liar = await goodStreamhost('another');
    const [closed = 0] = await findFreePorts(1);
    const { expected, wrong } = target();
    expect(await expected.connect(anna, offerOf({ host: '127.0.0.1', port: closed }, liar))).toBeUndefined();
    expect(wrong).toEqual([anna]);
  });

  it.each(['p.example', 'p.example/15390452'])('connects to a proxy that says itself where it is, and calls it a proxy: %s', async (jid) => {
    const proxy = await goodStreamhost();
    const found = await target({ mode: 'off' }).expected.connect(anna, offerOf({ ...proxy, jid, host: proxy.host, port: proxy.port }));
    expect(found?.carrier).toMatchObject({ kind: 'socks5', addressClass: 'proxy' });
    void found?.carrier.close();
  });

  it('goes on to the next streamhost after 250 ms, and closes the one it leaves', async () => {
    const clock = new EventClock();
    const [slow, good] = [await startStreamhost('says nothing'), await goodStreamhost()];
    const connecting = target({ clock }).expected.connect(anna, offerOf(slow, good));
    await until(() => slow.open === 1);
    await clock.advance(249);
    expect(good.open).toBe(0);
    await clock.advance(1);
    const found = await connecting;
    expect(found?.streamhost.port).toBe(good.port);
    await until(() => slow.open === 0);
    void found?.carrier.close();
  });

  it('gives direct ones five seconds and proxies ten, all together', async () => {
    const clock = new EventClock();
    const [direct, proxy] = [await startStreamhost('says nothing'), await startStreamhost('stops in the middle')];
    const connecting = target({ clock }).expected.connect(anna, offerOf(direct, { jid: 'p.example', host: proxy.host, port: proxy.port }));
    await until(() => direct.open === 1);
    await clock.advance(250);
    await until(() => proxy.open === 1);
    await clock.advance(4750);
    await until(() => direct.open === 0);
    expect(proxy.open).toBe(1);
    await clock.advance(5000);
    expect(await connecting).toBeUndefined();
    await until(() => proxy.open === 0);
  });

  it.each([
    ['a proxy that names another address itself', 'p.example', { isGenuine: () => Promise.resolve(false) }],
    ['a streamhost that speaks for another client', 'dan@one.example/x', {}],
    ['the peer itself when direct connections are off', anna, { mode: 'off' }],
  ] as const)('never connects to %s', async (_, jid, settings) => {
    const trap = await startStreamhost('accepts anyone');
    const found = await target(settings).expected.connect(anna, offerOf({ jid, host: trap.host, port: trap.port }));
    expect([found, trap.accepted]).toEqual([undefined, 0]);
  });

  it('connects to one address of a proxy only, for the second connection would count as the requester’s', async () => {
    const [first, second] = [await startStreamhost('refuses'), await startStreamhost('accepts anyone')];
    const of = ({ host, port }: Pick<Streamhost, 'host' | 'port'>) => ({ jid: 'p.example', host, port });
    expect(await target().expected.connect(anna, offerOf(of(first), of(second)))).toBeUndefined();
    expect([first.accepted, second.accepted]).toEqual([1, 0]);
  });

  it('stops when the connection is gone, and leaves nothing open', async () => {
    const slow = await startStreamhost('says nothing');
    const { expected, stop } = target();
    const connecting = expected.connect(anna, offerOf(slow));
    await until(() => slow.open === 1);
    stop.abort();
    expect(await connecting).toBeUndefined();
    await until(() => slow.open === 0);
  });
});
