// The requester's half of one SOCKS5 bytestream (XEP-0065 §5.3, §6.3): asks the target, then takes the connection the target made, or goes
// to the proxy it chose and has it activated. Rule: every step has a deadline and a name, and what fails leaves nothing open.

import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/clock.ts';
import { Fault, asFault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Connection } from '../xmpp/connection.ts';
import type { Element } from '../xmpp/element.ts';
import { classOfSocket } from './addresses.ts';
import { destinationOf, formatActivate, formatQuery, parseUsed } from './bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from './bytestreams-format.ts';
import type { Carrier } from './carrier.ts';
import { dialStreamhost } from './socks5-dial.ts';
import type { StreamSocket } from './socks5-dial.ts';
import { OFFLINE, conditionOf } from './stanza-errors.ts';
import { TcpCarrier } from './tcp-carrier.ts';

/** The target tries all streamhosts within this. */
const QUERY_MS = 30_000;
const DIAL_MS = 10_000;
const ACTIVATE_MS = 10_000;
/** Addresses that an error names at most. */
const TOLD = 4;

export interface OfferedStreamOptions {
  readonly peer: FullJid;
  readonly offer: BytestreamOffer;
  readonly connection: Pick<Connection, 'iq' | 'jid'>;
  readonly clock: Clock;
  /** The connection that came to our own streamhost for this stream, if one did. */
  readonly takeDirect: () => StreamSocket | undefined;
  /** The proxy could not be reached or did not activate. */
  readonly onProxyFailed: (proxy: Streamhost) => void;
  /** Gives up, with the fault to say. */
  readonly signal: AbortSignal;
}

/**
 * Opens the stream that was offered.
 * @throws Fault `peer-offline`; `timeout` or `tcp` with the step that failed; `server` for a refusal or a wrong answer; the reason of `signal`
 */
export async function openOffered(options: OfferedStreamOptions): Promise<Carrier> {
  const { peer, offer, connection, signal } = options;
  const answer = await ask(options, peer, formatQuery(offer), QUERY_MS, 'the stream').catch((error: unknown) => {
    throw faultOfQuery(error, peer, offer);
  });
  const used = parseAnswer(answer, options);
  signal.throwIfAborted();
  if (used.jid === connection.jid) return openDirect(options);
  return openProxied(options, used);
}

function openDirect(options: OfferedStreamOptions): Carrier {
  const { peer, takeDirect } = options;
  const direct = takeDirect();
  if (direct === undefined) throw new Fault('server', `${peer} says it is connected here, and no connection of its came`);
  return toCarrier(options, direct, 'direct');
}

async function openProxied(options: OfferedStreamOptions, proxy: Streamhost): Promise<Carrier> {
  const { peer, offer, connection, clock, signal, onProxyFailed } = options;
  const name = destinationOf(offer.sid, connection.jid, peer);
  let dialled: StreamSocket | undefined;
  try {
    dialled = await dialStreamhost({ host: proxy.host, port: proxy.port, name, clock, timeoutMs: DIAL_MS, signal });
    await ask(options, proxy.jid, formatActivate(offer.sid, peer), ACTIVATE_MS, 'the activation').catch((error: unknown) => {
      throw faultOfActivation(error, proxy.jid);
    });
    signal.throwIfAborted();
    return toCarrier(options, dialled, 'socks5');
  } catch (error) {
    dialled?.socket.destroy();
    if (!signal.aborted) onProxyFailed(proxy);
    throw asFault(error, `stream through ${proxy.jid}`);
  }
}

function toCarrier({ peer, offer, clock }: OfferedStreamOptions, { socket, early }: StreamSocket, kind: 'direct' | 'socks5'): Carrier {
  const addressClass = kind === 'direct' ? classOfSocket(socket) : 'proxy';
  return new TcpCarrier({ socket, early, kind, addressClass, sid: offer.sid, peer, clock });
}

/** A request whose wait ends with its deadline, or when all is given up. */
function ask({ connection, clock, signal }: OfferedStreamOptions, to: string, payload: Element, ms: number, what: string): Promise<Element | undefined> {
  const late = (): Fault => new Fault('timeout', `${to} did not answer about ${what} within ${ms / 1000} s`);
  const asked = withDeadline(connection.iq('set', to, payload, { timeoutMs: ms }), ms, clock, late);
  return new Promise((resolve, reject) => {
    const give = (): void => reject(asFault(signal.reason, 'opening a stream'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

/** The offered streamhost that the target says it uses. @throws Fault `server` */
function parseAnswer(answer: Element | undefined, { peer, offer }: OfferedStreamOptions): Streamhost {
  try {
    const jid = parseUsed(answer);
    const used = offer.streamhosts.find((one) => one.jid === jid);
    if (used !== undefined) return used;
  } catch (error) {
    throw new Fault('server', `${peer} gave no answer that can be read about the stream`, { cause: error });
  }
  throw new Fault('server', `${peer} says that it uses a streamhost that was not offered`);
}

function faultOfQuery(error: unknown, peer: FullJid, { streamhosts }: BytestreamOffer): Fault {
  const condition = conditionOf(error);
  if (condition === undefined) return asFault(error, `stream to ${peer}`);
  if (OFFLINE.has(condition)) return new Fault('peer-offline', `${peer} is not signed in`, { cause: error });
  if (condition === 'item-not-found') {
    const where = streamhosts.slice(0, TOLD).map(({ jid, host, port }) => (jid.includes('@') ? `${host} port ${port}` : `the proxy ${jid} at ${host} port ${port}`));
    return new Fault('tcp', `${peer} reached none of the addresses that were offered: ${where.join(', ')}`, { cause: error });
  }
  return new Fault('server', `${peer} refused the stream: ${condition}`, { cause: error });
}

function faultOfActivation(error: unknown, proxy: string): Fault {
  const condition = conditionOf(error);
  if (condition === undefined) return asFault(error, `activation at ${proxy}`);
  return new Fault('server', `the proxy ${proxy} did not activate the stream: ${condition}`, { cause: error });
}
