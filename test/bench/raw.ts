// One carrier by itself, without pipe, TLS or HTTP/2, beside plain TCP through the very proxy of the server (XEP-0065).
// Rule: bare connections that nothing else speaks on; the receiver's clock decides.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { InBand } from '../../src/carriers/in-band.ts';
import { Socks5 } from '../../src/carriers/socks5.ts';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import { xml } from '../../src/xmpp/element.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { percentile } from './setting.ts';
import type { Row } from './setting.ts';
import { started } from './teardown.ts';

const MEGABYTE = 1e6;
const ROUNDS = 3;
const OFFER_MS = 10_000;
const BEHIND = 64 * 1024;
const NS_BYTESTREAMS = 'http://jabber.org/protocol/bytestreams';

/** Opens a carrier and gives its two ends; ended by whoever asked for it. */
type OpenPair = () => Promise<{ readonly out: Carrier; readonly in: Carrier }>;

export async function benchRaw(): Promise<Row[]> {
  const [server, stop] = await started(startProsody({ accounts: { romeo: 'wherefore' } }), (each) => each.stop());
  try {
    const [from, to] = [await signIn(server), await signIn(server)];
    const [blocks, proxied] = [inBand(from, to), throughProxy(from, to)];
    const [slow, fast, tcp]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      slow.push(await measureCarrier(blocks, 20 * MEGABYTE));
      fast.push(await measureCarrier(proxied.open, 200 * MEGABYTE));
      tcp.push(await measureProxied(server, from, to));
    }
    proxied.stop();
    await Promise.all([from.close(), to.close()]);
    return [row('raw carrier, in-band', slow, tcp), row('raw carrier, socks5 through proxy65', fast, tcp)];
  } finally {
    await stop();
  }
}

function row(what: string, ours: readonly number[], tcp: readonly number[]): Row {
  const [mine, its] = [percentile(ours, 0.5), percentile(tcp, 0.5)];
  return [what, rate(mine), rate(Math.min(...ours)), 'TCP through proxy65', rate(its), (mine / its).toFixed(2)];
}

function rate(megabytes: number): string {
  return `${megabytes.toFixed(1)} MB/s`;
}

function signIn(server: Prosody): Promise<Connection> {
  return connect({
    account: { jid: parseBareJid(`romeo@${server.domain}`), server: { host: server.host, port: server.port, isDirectTls: false }, ca: server.caPem },
    password: 'wherefore',
    resource: `git-xmpp-${randomBytes(4).toString('hex')}`,
    clock: realClock,
    log: silentLog,
  });
}

function inBand(from: Connection, to: Connection): OpenPair {
  const parts = { clock: realClock, log: silentLog, random: (size: number) => randomBytes(size) };
  const [here, there] = [new InBand({ ...parts, connection: from }), new InBand({ ...parts, connection: to })];
  let accept: (carrier: Carrier) => void = () => undefined;
  there.onCarrier((carrier) => accept(carrier));
  return async () => {
    const accepted = new Promise<Carrier>((resolve) => {
      accept = resolve;
    });
    return { out: await here.open(to.jid), in: await accepted };
  };
}

/** As two devices that hide their addresses: the server's proxy is all that is offered. */
function throughProxy(from: Connection, to: Connection): { readonly open: OpenPair; stop(): void } {
  const parts = { clock: realClock, log: silentLog, random: (size: number) => randomBytes(size), mode: () => 'off' as const, interfaces: () => ({}) };
  const [here, there] = [new Socks5({ ...parts, connection: from }), new Socks5({ ...parts, connection: to })];
  let accept: (carrier: Carrier) => void = () => undefined;
  there.onCarrier((carrier) => accept(carrier));
  const open: OpenPair = async () => {
    const accepted = new Promise<Carrier>((resolve) => {
      accept = resolve;
    });
    const offer = await here.prepare(to.jid);
    there.expect(from.jid, offer, OFFER_MS);
    return { out: await offer.open(), in: await accepted };
  };
  const stop = (): void => {
    here.stop();
    there.stop();
  };
  return { open, stop };
}

/** Megabytes a second that come in at the other end of a carrier. */
async function measureCarrier(open: OpenPair, total: number): Promise<number> {
  const pair = await open();
  // The proxy keeps the end of a burst until more comes; a pipe asks for it, and this is none.
  let [left, length] = [total + BEHIND, 0];
  const piece = randomBytes(64 * 1024);
  const source = {
    takeOutgoing(max: number): Uint8Array {
      const bytes = piece.subarray(0, Math.min(max, left, piece.length));
      left -= bytes.length;
      return bytes;
    },
  };
  const silent = { takeOutgoing: () => new Uint8Array(0) };
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const receive = (bytes: Uint8Array): Promise<void> => {
      length += bytes.length;
      if (length >= total) resolve();
      return Promise.resolve();
    };
    pair.in.start(silent, { receive, closed: reject });
    pair.out.start(source, { receive: () => Promise.resolve(), closed: reject });
    pair.out.wake();
  });
  const took = performance.now() - start;
  await pair.out.close();
  return total / MEGABYTE / (took / 1000);
}

/** Megabytes a second of plain TCP: two SOCKS5 connections that the server's proxy joins (XEP-0065 §6). */
async function measureProxied(server: Prosody, from: Connection, to: Connection): Promise<number> {
  const sid = randomBytes(8).toString('hex');
  const host = createHash('sha1').update(`${sid}${from.jid}${to.jid}`).digest('hex');
  const target = await connectSocks(server.proxyPort, host);
  const initiator = await connectSocks(server.proxyPort, host);
  const activate = xml('query', { xmlns: NS_BYTESTREAMS, sid }, xml('activate', {}, to.jid));
  await from.iq('set', `proxy.${server.domain}`, activate);
  const [total, piece] = [200 * MEGABYTE, randomBytes(64 * 1024)];
  const start = performance.now();
  let length = 0;
  const arrived = new Promise<void>((resolve) => {
    target.on('data', (bytes: Buffer) => {
      length += bytes.length;
      if (length >= total) resolve();
    });
  });
  for (let sent = 0; sent < total; sent += piece.length) if (!initiator.write(piece)) await once(initiator, 'drain');
  await arrived;
  const took = performance.now() - start;
  initiator.destroy();
  target.destroy();
  return total / MEGABYTE / (took / 1000);
}

/** RFC 1928 without authentication, one step after the other, as Prosody's proxy wants it. */
async function connectSocks(port: number, name: string): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const ask = async (bytes: Buffer, expected: number): Promise<void> => {
    socket.write(bytes);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (answer[0] !== 5 || answer[1] !== expected) throw new Error(`the proxy answered ${answer.toString('hex')}`);
  };
  await ask(Buffer.from([5, 1, 0]), 0);
  await ask(Buffer.concat([Buffer.from([5, 1, 0, 3, name.length]), Buffer.from(name), Buffer.from([0, 0])]), 0);
  return socket;
}
