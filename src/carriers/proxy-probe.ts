// Whether a SOCKS5 proxy of the server really carries: one stream from oneself to oneself, and one byte each way (XEP-0065 §6).
// Rule: one deadline over all of it; both connections are closed whatever comes of it.

import type { Socket } from 'node:net';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault, asFault } from '../lib/errors.ts';
import type { Connection } from '../xmpp/connection.ts';
import { destinationOf, formatActivate } from './bytestreams-format.ts';
import type { Streamhost } from './bytestreams-format.ts';
import { dialStreamhost } from './socks5-dial.ts';
import type { StreamSocket } from './socks5-dial.ts';
import { conditionOf } from './stanza-errors.ts';

export interface ProxyProbeOptions {
  readonly connection: Pick<Connection, 'iq' | 'jid'>;
  readonly clock: Clock;
  /** `size` unguessable bytes. */
  readonly random: (size: number) => Uint8Array;
}

const DIAL_MS = 5_000;
const ACTIVATE_MS = 5_000;
const BYTE_MS = 5_000;

/**
 * Passes one byte each way through `proxy`.
 * @returns the round trip of the second byte, in milliseconds
 * @throws Fault `tcp` or `timeout` when it cannot be reached or carries nothing, `server` when it does not activate
 */
export async function probeProxy(proxy: Streamhost, { connection, clock, random }: ProxyProbeOptions): Promise<number> {
  const sid = Buffer.from(random(16)).toString('base64url');
  const name = destinationOf(sid, connection.jid, connection.jid);
  const stop = new AbortController();
  const dialled: StreamSocket[] = [];
  const dial = async (): Promise<Socket> => {
    const found = await dialStreamhost({ host: proxy.host, port: proxy.port, name, clock, timeoutMs: DIAL_MS, signal: stop.signal });
    found.socket.on('error', () => undefined);
    dialled.push(found);
    return found.socket;
  };
  try {
    // The first that comes is the target to the proxy, the second the requester (Prosody).
    const target = await dial();
    const requester = await dial();
    await activate(proxy, sid, { connection, clock });
    const since = clock.now();
    await pass(requester, target, { proxy, clock });
    await pass(target, requester, { proxy, clock });
    return Math.max(0, clock.now() - since);
  } catch (error) {
    throw asFault(error, `a stream through ${proxy.jid}`);
  } finally {
    stop.abort();
    for (const { socket } of dialled) socket.destroy();
  }
}

async function activate(proxy: Streamhost, sid: string, { connection, clock }: Pick<ProxyProbeOptions, 'connection' | 'clock'>): Promise<void> {
  const late = (): Fault => new Fault('timeout', `${proxy.jid} did not activate a stream within ${ACTIVATE_MS / 1000} s`);
  const asked = connection.iq('set', proxy.jid, formatActivate(sid, connection.jid), { timeoutMs: ACTIVATE_MS });
  await withDeadline(asked, ACTIVATE_MS, clock, late).catch((error: unknown) => {
    const condition = conditionOf(error);
    if (condition === undefined) throw error;
    throw new Fault('server', `${proxy.jid} did not activate a stream: ${condition}`, { cause: error });
  });
}

/** One byte from one connection to the other. */
function pass(from: Socket, to: Socket, { proxy, clock }: { readonly proxy: Streamhost; readonly clock: Clock }): Promise<void> {
  const gone = (): Fault => new Fault('tcp', `${proxy.host} port ${proxy.port} closed the stream instead of passing a byte`);
  const passed = new Promise<void>((resolve, reject) => {
    to.once('data', () => resolve());
    to.once('close', () => reject(gone()));
  });
  to.resume();
  from.write(Uint8Array.of(42));
  const late = (): Fault => new Fault('timeout', `${proxy.host} port ${proxy.port} took a byte and passed none on within ${BYTE_MS / 1000} s`);
  return withDeadline(passed, BYTE_MS, clock, late);
}
