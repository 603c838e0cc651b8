// The target's half of SOCKS5 bytestreams (XEP-0065 §5.3, §6.3): acts on a query only when the same offer came inside the link before.
// Rule: the server carries the query and so could forge one; it must not make this machine connect anywhere.

import type { Clock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DirectMode } from '../home/settings-format.ts';
import { addressesToTry, classOfSocket } from './addresses.ts';
import type { Interfaces } from './addresses.ts';
import { destinationOf, isSameOffer } from './bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from './bytestreams-format.ts';
import { firstOf } from './first-of.ts';
import type { Attempt } from './first-of.ts';
import type { Proxies } from './proxies.ts';
import { StreamhostFault, dialStreamhost } from './socks5-dial.ts';
import type { StreamSocket } from './socks5-dial.ts';
import { TcpCarrier } from './tcp-carrier.ts';

/** From one streamhost to the next, and what all tries may take together, in milliseconds. */
const STAGGER_MS = 250;
const DIRECT_MS = 5000;
const PROXY_MS = 10_000;
/** Proxies of one offer that are asked where they are. */
const MAX_PROXIES = 4;
/** Offers that wait for their query: of one device, and in all. */
const LIMITS = { perDevice: 2, total: 16 };

export interface ExpectedStreamsOptions {
  /** The own full JID. */
  readonly jid: FullJid;
  readonly proxies: Pick<Proxies, 'isGenuine'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly mode: () => DirectMode;
  readonly interfaces: () => Interfaces;
  /** Gives up whatever is being tried. */
  readonly signal: AbortSignal;
  /** A streamhost of that peer's offer was there, and was not what it should be. */
  readonly onWrong: (peer: FullJid) => void;
}

interface Expected {
  readonly peer: FullJid;
  readonly by: string;
  readonly offer: BytestreamOffer;
  readonly forget: () => void;
}

/** A streamhost that was reached. */
interface Reached extends StreamSocket {
  readonly streamhost: Streamhost;
}

export class ExpectedStreams {
  readonly #options: ExpectedStreamsOptions;
  readonly #expected = new Set<Expected>();

  constructor(options: ExpectedStreamsOptions) {
    this.#options = options;
  }

  /**
   * Expects the query for an offer that came inside the link, once and for `deadlineMs`.
   * @param by the device that told it: it may name any resource of its account as the requester
   * @returns expects it no more
   * @throws Fault `throttled` when two of this device, or sixteen in all, wait already; `exists` when this one does
   */
  expect(peer: FullJid, offer: BytestreamOffer, deadlineMs: number, by: string = peer): () => void {
    const ofDevice = [...this.#expected].filter((one) => one.by === by);
    if (ofDevice.some((one) => one.offer.sid === offer.sid)) throw new Fault('exists', `${peer} offered the same stream twice`);
    if (ofDevice.length >= LIMITS.perDevice || this.#expected.size >= LIMITS.total) {
      throw new Fault('throttled', `${peer} offers more streams than are taken at once`);
    }
    const forget = (): void => {
      timer.cancel();
      this.#expected.delete(expected);
    };
    const expected: Expected = { peer, by, offer, forget };
    const timer = this.#options.clock.setTimer(deadlineMs, forget);
    this.#expected.add(expected);
    // The proxies are asked now, so that the query need not wait for it.
    for (const proxy of this.#proxiesOf(expected)) void this.#options.proxies.isGenuine(proxy);
    return forget;
  }

  /** The offer that this query repeats, which is thereby used up; undefined when none came, or another one. */
  take(peer: FullJid, offer: BytestreamOffer): BytestreamOffer | undefined {
    const found = [...this.#expected].find((one) => one.peer === peer && isSameOffer(one.offer, offer));
    found?.forget();
    return found?.offer;
  }

  /** Expects nothing any more. */
  clear(): void {
    for (const one of this.#expected) one.forget();
  }

  /** Connects to the first streamhost that gives the stream; undefined when none does. */
  async connect(peer: FullJid, offer: BytestreamOffer): Promise<{ readonly carrier: TcpCarrier; readonly streamhost: Streamhost } | undefined> {
    const { jid, clock, signal } = this.#options;
    const attempts = this.#attempts({ peer, offer }, destinationOf(offer.sid, peer, jid));
    const discard = ({ socket }: Reached): void => void socket.destroy();
    const reached = await firstOf(attempts, { clock, staggerMs: STAGGER_MS, discard, signal });
    if (reached === undefined) return undefined;
    const { socket, early, streamhost } = reached;
    const isDirect = streamhost.jid === peer;
    const addressClass = isDirect ? classOfSocket(socket) : 'proxy';
    const carrier = new TcpCarrier({ socket, early, kind: isDirect ? 'direct' : 'socks5', addressClass, sid: offer.sid, peer, clock });
    return { carrier, streamhost };
  }

  #attempts(expected: Pick<Expected, 'peer' | 'offer'>, name: string): Attempt<Reached>[] {
    const { proxies, clock, mode, interfaces } = this.#options;
    const since = clock.now();
    const direct = expected.offer.streamhosts.filter(({ jid }) => jid === expected.peer);
    const allowed = new Set(addressesToTry(direct.map(({ host }) => host), interfaces(), mode()));
    const ways = this.#proxiesOf(expected);
    return expected.offer.streamhosts.flatMap((streamhost) => {
      const isDirect = streamhost.jid === expected.peer;
      if (isDirect ? !allowed.has(streamhost.host) : !ways.includes(streamhost)) return [];
      return async (signal: AbortSignal) => {
        if (!isDirect && !(await proxies.isGenuine(streamhost))) throw this.#note(expected.peer, streamhost, new Fault('server', 'the proxy itself names another address'));
        const timeoutMs = Math.max(0, since + (isDirect ? DIRECT_MS : PROXY_MS) - clock.now());
        const { host, port } = streamhost;
        const dialled = await dialStreamhost({ host, port, name, clock, timeoutMs, signal }).catch((error: unknown) => {
          throw this.#note(expected.peer, streamhost, error);
        });
        return { ...dialled, streamhost };
      };
    });
  }

  /**
   * The proxies of an offer, one streamhost each: a proxy takes the first connection for a stream as the target's and the second as the
   * requester's (Prosody), so it is never connected to twice.
   */
  #proxiesOf({ peer, offer }: Pick<Expected, 'peer' | 'offer'>): Streamhost[] {
    const proxies = offer.streamhosts.filter(({ jid }) => jid !== peer && !jid.includes('@'));
    return proxies.filter((one, at) => proxies.findIndex(({ jid }) => jid === one.jid) === at).slice(0, MAX_PROXIES);
  }

  #note(peer: FullJid, streamhost: Streamhost, error: unknown): unknown {
    this.#options.log.debug('a streamhost gave no stream', { at: `${streamhost.host} ${streamhost.port}`, why: messageOf(error) });
    if (error instanceof StreamhostFault) this.#options.onWrong(peer);
    return error;
  }
}
