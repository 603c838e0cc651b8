// Opens and accepts in-band streams on one connection (XEP-0047 §2.1, §2.3). The carrier that always works.
// Rule: a stream belongs to one full JID and one sid; a stanza from anywhere else gets `item-not-found` and changes nothing.

import type { Clock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import { bareOf, domainOf, parseFullJid } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Connection, IncomingIq } from '../xmpp/connection.ts';
import { NS_IBB } from '../xmpp/namespaces.ts';
import { fitsStanza, LARGE_BLOCK_SIZE, mayUseLargeBlocks, SmallServers } from './block-size-machine.ts';
import type { Carrier } from './carrier.ts';
import { DEFAULT_BLOCK_SIZE, MAX_BLOCK_SIZE, REFUSALS, formatOpen, parseOpen, parseSid } from './ibb-format.ts';
import type { OpenRequest, Refusal } from './ibb-format.ts';
import { IbbSession } from './ibb-session.ts';
import { Refused } from './refused.ts';
import { asRefusal, conditionOf, faultOfOpen, refuse, saysTooLarge } from './stanza-errors.ts';

/** A peer that is there answers within this; the tunnel's rules give a dial no more. */
const OPEN_MS = 5000;
/** An accepted stream that nobody starts is closed after this. */
const START_MS = 10_000;
/** A peer that wants smaller blocks than this gets no stream. */
const SMALLEST_OFFER = 1024;
/** Bytes of an unguessable sid. */
const SID_BYTES = 16;
/** Accepted streams at once: not yet started, by device and by account; then in all. The last two only bound memory. */
const LIMITS = { unstartedPerDevice: 2, unstartedPerAccount: 8, perDevice: 8, total: 64 };

export interface InBandOptions {
  readonly connection: Pick<Connection, 'iq' | 'handleIq' | 'onClose' | 'jid' | 'maxStanzaBytes'>;
  readonly clock: Clock;
  readonly log: Log;
  /** `size` unguessable bytes. */
  readonly random: (size: number) => Uint8Array;
  /** Whether `peer` may open a stream at all; anybody may by default. */
  readonly isWelcome?: (peer: FullJid) => boolean;
  /** Larger blocks, in bytes before base64, are refused; default 65 535. */
  readonly largestBlock?: number;
  /** Servers that took no large block before; from one connection to the next by whoever makes both. */
  readonly smallServers?: SmallServers;
  /** Where refusals are counted; a count of its own by default. */
  readonly refused?: Refused;
}

export interface OpenOptions {
  /** Bytes before base64 that are asked for first, from 1024 to 65 535; default 4096. Ours grow beyond 4096 only on a path that shows it may. */
  readonly blockSize?: number;
}

/** The in-band streams of one connection; with the connection they end. */
export class InBand {
  readonly #options: InBandOptions;
  readonly #sessions = new Map<string, IbbSession>();
  readonly #accepted = new Set<IbbSession>();
  readonly #removers: readonly (() => void)[];
  readonly #refused: Refused;
  readonly #smallServers: SmallServers;
  #listener: ((carrier: Carrier) => void) | undefined;
  #ended: Fault | undefined;

  constructor(options: InBandOptions) {
    this.#options = options;
    const { connection } = options;
    this.#refused = options.refused ?? new Refused(options.log);
    this.#smallServers = options.smallServers ?? new SmallServers();
    this.#removers = [
      connection.handleIq(NS_IBB, 'open', (iq) => this.#accept(iq)),
      connection.handleIq(NS_IBB, 'data', async (iq) => this.#find(iq).receiveData(iq.payload)),
      connection.handleIq(NS_IBB, 'close', async (iq) => this.#find(iq).receiveClose()),
    ];
    connection.onClose((fault) => this.#end(fault));
  }

  /** Who is handed the streams that peers open; while there is nobody, they are refused. */
  onCarrier(listener: (carrier: Carrier) => void): void {
    this.#listener = listener;
  }

  /** Streams and blocks that were refused to peers. */
  get refused(): number {
    return this.#refused.count;
  }

  /**
   * Opens a stream to `peer`, with smaller blocks where the peer wants them.
   * @throws Fault `peer-offline`, `not-paired` (refused), `throttled`, `timeout`, `server`, or the connection's own
   */
  async open(peer: FullJid, options: OpenOptions = {}): Promise<IbbSession> {
    for (let blockSize = options.blockSize ?? DEFAULT_BLOCK_SIZE; ; blockSize = Math.floor(blockSize / 2)) {
      try {
        return await this.#tryOpen(peer, blockSize);
      } catch (error) {
        if (conditionOf(error) !== 'resource-constraint' || blockSize < 2 * SMALLEST_OFFER) throw faultOfOpen(error, peer);
      }
    }
  }

  /**
   * The block size that a new stream to the same peer should ask for: 16 384 where `carrier` has shown that nothing throttles it and all
   * that is known of the servers allows it; else what it has.
   */
  suggestBlockSize(carrier: Carrier): number {
    if (!(carrier instanceof IbbSession)) return DEFAULT_BLOCK_SIZE;
    if (carrier.blockSize >= LARGE_BLOCK_SIZE) return carrier.blockSize;
    const { maxStanzaBytes } = this.#options.connection;
    const facts = { ...carrier.shown, maxStanzaBytes, isKnownSmall: this.#isKnownSmall(carrier.peer) };
    return mayUseLargeBlocks(facts) ? LARGE_BLOCK_SIZE : carrier.blockSize;
  }

  /** Closes every stream and takes no more. */
  async stop(): Promise<void> {
    for (const remove of this.#removers) remove();
    this.#ended ??= new Fault('not-connected', 'in-band streams have been stopped');
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
  }

  async #tryOpen(peer: FullJid, blockSize: number): Promise<IbbSession> {
    if (this.#ended !== undefined) throw this.#ended;
    const sid = Buffer.from(this.#options.random(SID_BYTES)).toString('base64url');
    // The session is there before the question is sent: the peer may follow its answer with data at once.
    const session = this.#addSession(sid, peer, blockSize);
    try {
      await session.request(formatOpen(sid, blockSize), OPEN_MS);
      return session;
    } catch (error) {
      if (conditionOf(error) === undefined) void session.close();
      else session.end(faultOfOpen(error, peer));
      throw error;
    }
  }

  async #accept(iq: IncomingIq): Promise<undefined> {
    const { peer, request } = parseIncomingOpen(iq);
    const refusal = this.#refusalOf(peer, request);
    if (refusal !== undefined) {
      this.#refused.add(peer, refusal.why);
      throw refuse(refusal);
    }
    const session = this.#addSession(request.sid, peer, request.blockSize);
    this.#accepted.add(session);
    this.#options.clock.setTimer(START_MS, () => {
      if (!session.isStarted) void session.close();
    });
    try {
      this.#listener?.(session);
    } catch (error) {
      this.#options.log.warn('nobody took a stream', { peer, why: messageOf(error) });
      session.end(new Fault('internal', 'nobody took the stream'));
      throw refuse(REFUSALS.unwelcome);
    }
    return undefined;
  }

  #refusalOf(peer: FullJid, request: OpenRequest): Refusal | undefined {
    const { isWelcome = () => true, largestBlock = MAX_BLOCK_SIZE } = this.#options;
    if (this.#listener === undefined || this.#ended !== undefined || !isWelcome(peer)) return REFUSALS.unwelcome;
    if (request.stanza === 'message' || this.#sessions.has(keyOf(request.sid, peer))) return REFUSALS.unwelcome;
    if (request.blockSize > largestBlock) return REFUSALS.blocksTooLarge;
    const all = [...this.#accepted];
    const ofDevice = all.filter((session) => session.peer === peer);
    const unstarted = all.filter((session) => !session.isStarted && bareOf(session.peer) === bareOf(peer));
    const isTooMuch =
      all.length >= LIMITS.total ||
      ofDevice.length >= LIMITS.perDevice ||
      unstarted.length >= LIMITS.unstartedPerAccount ||
      unstarted.filter((session) => session.peer === peer).length >= LIMITS.unstartedPerDevice;
    return isTooMuch ? REFUSALS.tooMuch : undefined;
  }

  #addSession(sid: string, peer: FullJid, blockSize: number): IbbSession {
    const { connection, clock } = this.#options;
    const key = keyOf(sid, peer);
    const onEnd = (session: IbbSession, fault: Fault | undefined): void => {
      this.#sessions.delete(key);
      this.#accepted.delete(session);
      if (session.isTryingLarge && fault !== undefined) this.#blame(peer, fault);
    };
    const isLargeSafe = fitsStanza(LARGE_BLOCK_SIZE, connection.maxStanzaBytes) && !this.#isKnownSmall(peer);
    const largest = isLargeSafe ? LARGE_BLOCK_SIZE : DEFAULT_BLOCK_SIZE;
    const onWrong = (why: string): void => this.#refused.add(peer, why);
    const session = new IbbSession({ sid, peer, blockSize, largest, connection, clock, onEnd, onWrong });
    this.#sessions.set(key, session);
    return session;
  }

  #isKnownSmall(peer: FullJid): boolean {
    return [domainOf(bareOf(peer)), domainOf(this.#options.connection.jid)].some((domain) => this.#smallServers.isSmall(domain));
  }

  /** A stream ended while its first large blocks went out: where a server's limits are the reason, they are remembered. */
  #blame(peer: FullJid, fault: Fault): void {
    const isOurs = this.#ended !== undefined;
    const domain = domainOf(isOurs ? this.#options.connection.jid : bareOf(peer));
    if (!saysTooLarge(fault) || !this.#smallServers.learn(domain)) return;
    this.#options.log.info('a server takes no large blocks', { domain, why: fault.message });
  }

  /** The stream a request speaks of. @throws StanzaFault `item-not-found` when there is none from this very address */
  #find(iq: IncomingIq): IbbSession {
    try {
      const session = iq.type === 'set' ? this.#sessions.get(keyOf(parseSid(iq.payload), parseFullJid(iq.from))) : undefined;
      if (session !== undefined) return session;
    } catch (error) {
      throw asRefusal(error);
    }
    throw refuse(REFUSALS.unknownStream);
  }

  #end(fault: Fault): void {
    this.#ended ??= fault;
    for (const session of this.#sessions.values()) session.end(fault);
  }
}

/** @throws StanzaFault `bad-request` */
function parseIncomingOpen(iq: IncomingIq): { peer: FullJid; request: OpenRequest } {
  if (iq.type !== 'set') throw refuse({ type: 'modify', condition: 'bad-request', why: 'a stream is opened by a set' });
  try {
    return { peer: parseFullJid(iq.from), request: parseOpen(iq.payload) };
  } catch (error) {
    throw asRefusal(error);
  }
}

function keyOf(sid: string, peer: FullJid): string {
  return `${peer}\n${sid}`;
}
