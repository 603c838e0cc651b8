// SOCKS5 bytestreams on one connection, both halves, direct and through proxies (XEP-0065). The carrier for bulk.
// Rule: an offer is told to the peer inside the encrypted link first; a query that comes over XMPP alone connects this machine to nothing.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault, messageOf } from '../lib/errors.ts';
import { parseFullJid } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DirectMode } from '../home/settings-format.ts';
import type { Connection, IncomingIq } from '../xmpp/connection.ts';
import type { Element } from '../xmpp/element.ts';
import { NS_BYTESTREAMS } from '../xmpp/namespaces.ts';
import type { Interfaces } from './addresses.ts';
import { MAX_STREAMHOSTS, destinationOf, formatUsed, parseQuery } from './bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from './bytestreams-format.ts';
import type { Carrier } from './carrier.ts';
import { ExpectedStreams } from './expected-streams.ts';
import type { Refusal } from './ibb-format.ts';
import { openOffered } from './offered-stream.ts';
import { Proxies } from './proxies.ts';
import { Refused } from './refused.ts';
import { asRefusal, refuse } from './stanza-errors.ts';
import { StreamhostListener } from './streamhost-listener.ts';

/** Bytes of an unguessable sid. */
const SID_BYTES = 16;
/** Offers of ours that are pending at once. */
const MAX_PENDING = 16;
/** Streams of peers that are being connected at once; each may take ten seconds and a socket for each of its streamhosts. */
const MAX_CONNECTING = 16;
/** An offer that nobody opens is taken back after this. */
const PENDING_MS = 60_000;
/** A carrier that was handed over and that nobody starts is closed after this. */
const START_MS = 10_000;
/** A proxy that failed is not offered for so long. */
const FAILED_MS = 300_000;

const UNEXPECTED: Refusal = { type: 'cancel', condition: 'not-acceptable', why: 'no such stream was offered' };
const BUSY: Refusal = { type: 'wait', condition: 'resource-constraint', why: 'too many streams are being connected' };
const UNREACHABLE: Refusal = { type: 'cancel', condition: 'item-not-found', why: 'no streamhost gave the stream' };

export interface Socks5Options {
  readonly connection: Pick<Connection, 'iq' | 'handleIq' | 'onClose' | 'jid'>;
  readonly clock: Clock;
  readonly log: Log;
  /** `size` unguessable bytes. */
  readonly random: (size: number) => Uint8Array;
  /** How far direct connections may go, asked each time: `xmpp.direct`. Proxies are used in any case. */
  readonly mode: () => DirectMode;
  /** `os.networkInterfaces` */
  readonly interfaces: () => Interfaces;
  /** Whether `peer` may ask for a stream at all; anybody may by default. */
  readonly isWelcome?: (peer: FullJid) => boolean;
  /** Where refusals are counted; a count of its own by default. */
  readonly refused?: Refused;
}

/** An offer that has been made ready. Tell `sid` and `streamhosts` to the peer inside the link, then call `open`. */
export interface PendingOffer extends BytestreamOffer {
  /**
   * Asks the peer to connect; called once.
   * @throws Fault `peer-offline`; `timeout` or `tcp` with the step that failed; `server` for a refusal or a wrong answer; the connection's own
   */
  open(): Promise<Carrier>;
  /** Takes the offer back; an `open` under way rejects. Does nothing to a carrier that is open. */
  cancel(): void;
}

/** The SOCKS5 streams of one connection. Offers and tries end with the connection; carriers are TCP of their own and live on. */
export class Socks5 {
  readonly #options: Socks5Options;
  readonly #proxies: Proxies;
  readonly #listener: StreamhostListener;
  readonly #expected: ExpectedStreams;
  readonly #end = new AbortController();
  readonly #pending = new Set<AbortController>();
  /** When a proxy failed, by its JID. */
  readonly #failed = new Map<string, number>();
  readonly #removeHandler: () => void;
  #onCarrier: ((carrier: Carrier) => void) | undefined;
  readonly #refused: Refused;
  #connecting = 0;

  constructor(options: Socks5Options) {
    this.#options = options;
    this.#refused = options.refused ?? new Refused(options.log);
    const { connection } = options;
    this.#proxies = new Proxies(options);
    this.#listener = new StreamhostListener({ ...options, onRefused: () => this.#refused.addUnnamed() });
    this.#expected = new ExpectedStreams({ ...options, jid: connection.jid, proxies: this.#proxies, signal: this.#end.signal, onWrong: (peer) => this.#refused.add(peer, 'a streamhost that answered gave no stream') });
    this.#removeHandler = connection.handleIq(NS_BYTESTREAMS, 'query', (iq) => this.#answer(iq));
    connection.onClose((fault) => this.#over(fault));
  }

  /** Queries, streamhosts and direct connections that were refused so far. */
  get refused(): number {
    return this.#refused.count;
  }

  /** Who is handed the streams that peers open; while there is nobody, they are refused. */
  onCarrier(listener: (carrier: Carrier) => void): void {
    this.#onCarrier = listener;
  }

  /**
   * Makes an offer ready for `peer`: listens on the own addresses, finds the server's proxies.
   * @throws Fault `tcp` when there is neither, `throttled` when sixteen offers are pending, the connection's own
   */
  async prepare(peer: FullJid): Promise<PendingOffer> {
    const { connection, random } = this.#options;
    this.#end.signal.throwIfAborted();
    if (this.#pending.size >= MAX_PENDING) throw new Fault('throttled', 'too many streams are being opened');
    const sid = Buffer.from(random(SID_BYTES)).toString('base64url');
    const name = destinationOf(sid, connection.jid, peer);
    const stop = new AbortController();
    this.#pending.add(stop);
    stop.signal.addEventListener('abort', () => {
      this.#pending.delete(stop);
      this.#listener.release(name);
    });
    try {
      const [own, proxies] = await Promise.all([this.#listener.expect(name), this.#proxies.find()]);
      stop.signal.throwIfAborted();
      const streamhosts = [...own.map((at) => ({ jid: connection.jid, ...at })), ...proxies.filter((one) => this.#isWorthTrying(one))];
      if (streamhosts.length === 0) throw new Fault('tcp', 'there is no address to offer and no proxy');
      return this.#toPending(peer, { sid, streamhosts: streamhosts.slice(0, MAX_STREAMHOSTS) }, stop);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  /**
   * Expects the query for an offer that came from `peer` inside the link, once and for `deadlineMs`.
   * @param by the device whose link it was
   * @returns expects it no more
   * @throws Fault `throttled` when too many are expected; `exists` when this one is
   */
  expect(peer: FullJid, offer: BytestreamOffer, deadlineMs: number, by: string = peer): () => void {
    this.#end.signal.throwIfAborted();
    return this.#expected.expect(peer, offer, deadlineMs, by);
  }

  /** Ends every offer and every try. Open carriers stay. */
  stop(): void {
    this.#removeHandler();
    this.#over(new Fault('not-connected', 'SOCKS5 streams have been stopped'));
  }

  #toPending(peer: FullJid, offer: BytestreamOffer, stop: AbortController): PendingOffer {
    const { connection, clock } = this.#options;
    const name = destinationOf(offer.sid, connection.jid, peer);
    const expiry = clock.setTimer(PENDING_MS, () => stop.abort(new Fault('timeout', `the stream to ${peer} was not opened in time`)));
    stop.signal.addEventListener('abort', () => expiry.cancel());
    const { signal } = stop;
    const takeDirect = (): ReturnType<StreamhostListener['take']> => this.#listener.take(name);
    const onProxyFailed = ({ jid }: Streamhost): void => void this.#failed.set(jid, clock.now());
    const open = async (): Promise<Carrier> => {
      expiry.cancel();
      signal.throwIfAborted();
      try {
        return await openOffered({ peer, offer, connection, clock, takeDirect, onProxyFailed, signal });
      } finally {
        stop.abort(new Fault('not-connected', `the stream to ${peer} is no longer offered`));
      }
    };
    const cancel = (): void => stop.abort(new Fault('not-connected', `the stream to ${peer} was taken back`));
    return { ...offer, open, cancel };
  }

  #isWorthTrying({ jid }: Streamhost): boolean {
    const failedAt = this.#failed.get(jid);
    return failedAt === undefined || this.#options.clock.now() - failedAt >= FAILED_MS;
  }

  async #answer(iq: IncomingIq): Promise<Element> {
    const { peer, asked } = this.#parse(iq);
    const offer = this.#onCarrier === undefined ? undefined : this.#expected.take(peer, asked);
    if (offer === undefined) throw this.#refuse(UNEXPECTED, iq);
    if (this.#connecting >= MAX_CONNECTING) throw this.#refuse(BUSY, iq);
    this.#connecting += 1;
    const found = await this.#expected.connect(peer, offer).finally(() => (this.#connecting -= 1));
    if (found === undefined) throw refuse(UNREACHABLE);
    const { carrier, streamhost } = found;
    this.#options.clock.setTimer(START_MS, () => {
      if (!carrier.isStarted) void carrier.close();
    });
    try {
      this.#onCarrier?.(carrier);
    } catch (error) {
      this.#options.log.warn('nobody took a stream', { peer, why: messageOf(error) });
      void carrier.close();
      throw refuse(UNEXPECTED);
    }
    return formatUsed(offer.sid, streamhost.jid);
  }

  #parse(iq: IncomingIq): { readonly peer: FullJid; readonly asked: BytestreamOffer } {
    if (iq.type !== 'set') throw this.#refuse({ type: 'cancel', condition: 'not-acceptable', why: 'this is no proxy' }, iq);
    try {
      const peer = parseFullJid(iq.from);
      if (this.#options.isWelcome?.(peer) === false) throw this.#refuse(UNEXPECTED, iq);
      return { peer, asked: parseQuery(iq.payload) };
    } catch (error) {
      // What it says of the sender's own words is for the sender.
      if (error instanceof InputFault) this.#refused.add(iq.from, 'a query that cannot be read');
      throw asRefusal(error);
    }
  }

  #refuse(refusal: Refusal, iq: IncomingIq): Error {
    this.#refused.add(iq.from, refusal.why);
    return refuse(refusal);
  }

  #over(fault: Fault): void {
    this.#end.abort(fault);
    this.#expected.clear();
    for (const stop of this.#pending) stop.abort(fault);
  }
}
