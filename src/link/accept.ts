// Carriers that peers opened: each begins with OPEN (a new pipe) or RESUME (one that lost its carrier), and is led to its pipe
// (docs/PROTOCOL.md, "Pipe"). Rule: before TLS is up everything is bounded in number, bytes and time.

import type { ServerHttp2Session } from 'node:http2';
import type { Clock } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import { concatBytes } from '../lib/bytes.ts';
import { bareOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { encodeFrame, PIPE_VERSION } from '../pipe/frame-format.ts';
import type { LinkId, ToldReason } from '../pipe/frame-format.ts';
import { readFirstFrame } from '../pipe/frame-decoder.ts';
import type { FirstFrame } from '../pipe/frame-decoder.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { gateBulk, GateGroup } from './bulk-gate.ts';
import { PipeStream } from './pipe-stream.ts';
import { secureAsListener } from './secure.ts';
import type { Credentials } from './secure.ts';
import { serveLink } from './serve.ts';
import type { LinkHandlers } from './serve.ts';

export interface AcceptOptions {
  readonly own: Credentials;
  /** The peer with that public key, if it is paired and of that account. */
  readonly findPeer: (spki: string, account: BareJid) => DeviceId | undefined;
  readonly handlers: LinkHandlers<DeviceId>;
  readonly clock: Clock;
  readonly log: Log;
  /** What all pipes of this agent may keep for replay together. */
  readonly budget?: ReplayBudget | undefined;
  /** The gates of all links of this agent. */
  readonly gates?: GateGroup | undefined;
  /** A device that is not paired knocked. */
  readonly onStranger: (carrier: Carrier) => void;
}

interface Accepted {
  readonly pipe: PipeStream;
  readonly account: BareJid;
  /** Known once TLS is up. */
  who: DeviceId | undefined;
  session: ServerHttp2Session | undefined;
}

/** Bytes and time that a carrier has to say which pipe it is for. */
const FIRST_FRAME_BYTES = 1024;
const HANDSHAKE_MS = 10_000;
const UNSECURED_BYTES = 64 * 1024;
const MAX_UNSECURED_PER_ACCOUNT = 8;
const MAX_PIPES = 256;

/** All links that were dialled to this device. */
export class Acceptor {
  readonly #options: AcceptOptions;
  readonly #accepted = new Map<LinkId, Accepted>();

  constructor(options: AcceptOptions) {
    this.#options = options;
  }

  /** Takes a carrier that a peer opened. */
  accept(carrier: Carrier): void {
    const { clock, log } = this.#options;
    let early: Uint8Array = new Uint8Array(0);
    let answer: Uint8Array | undefined;
    let feed: ((bytes: Uint8Array) => Promise<void>) | undefined;
    const proxy = new CarrierProxy(carrier);
    const timer = clock.setTimer(HANDSHAKE_MS, () => void carrier.close());
    const receive = (bytes: Uint8Array): Promise<void> => {
      if (feed !== undefined) return feed(bytes);
      early = concatBytes([early, bytes]);
      const first = this.#readFirst(early, carrier);
      if (first === undefined) {
        if (early.length > FIRST_FRAME_BYTES) void carrier.close();
        return Promise.resolve();
      }
      timer.cancel();
      const refused = this.#route(first, proxy);
      feed = (more) => {
        this.#bound(first.frame.linkId);
        return proxy.receive(more);
      };
      if (refused === undefined) return Promise.resolve();
      log.info('refused a carrier', { why: refused });
      answer = encodeFrame({ type: 'close', reason: refused });
      carrier.wake();
      clock.setTimer(1000, () => void carrier.close());
      return Promise.resolve();
    };
    carrier.start(
      {
        takeOutgoing: (max) => {
          const said = answer;
          answer = undefined;
          return said ?? proxy.takeOutgoing(max);
        },
      },
      { receive, closed: (fault) => { timer.cancel(); proxy.closed(fault); } },
    );
  }

  /** Ends every link of a peer that was unpaired. */
  drop(who: DeviceId): void {
    for (const each of this.#accepted.values()) if (each.who === who) each.pipe.destroy();
  }

  stop(): void {
    for (const { session, pipe } of this.#accepted.values()) {
      session?.close();
      pipe.destroy();
    }
  }

  #readFirst(bytes: Uint8Array, carrier: Carrier): FirstFrame | undefined {
    try {
      return readFirstFrame(bytes);
    } catch (error) {
      this.#options.log.info('a carrier began with nonsense', { why: asFault(error, 'reading').message });
      void carrier.close();
      return undefined;
    }
  }

  /** @returns why it is refused */
  #route({ frame, rest }: FirstFrame, carrier: Carrier): ToldReason | undefined {
    const account = bareOf(carrier.peer);
    const known = this.#accepted.get(frame.linkId);
    if (frame.type === 'resume') {
      if (known === undefined || known.account !== account) return 'unknown-link';
      const why = known.pipe.resumeOn(frame, carrier, rest);
      return why === undefined ? undefined : 'refused';
    }
    if (frame.type === 'open' && frame.version > PIPE_VERSION) return 'newer-version';
    if (known !== undefined) return 'refused';
    const unsecured = [...this.#accepted.values()].filter((each) => each.who === undefined && each.account === account);
    if (unsecured.length >= MAX_UNSECURED_PER_ACCOUNT || this.#accepted.size >= MAX_PIPES) return 'busy';
    this.#open(frame.linkId, carrier, rest);
    return undefined;
  }

  /** Who has not shown a key yet may send what a handshake takes, and no more. */
  #bound(linkId: LinkId): void {
    const accepted = this.#accepted.get(linkId);
    if (accepted !== undefined && accepted.who === undefined && accepted.pipe.stats.received > UNSECURED_BYTES) accepted.pipe.destroy();
  }

  #open(linkId: LinkId, carrier: Carrier, rest: Uint8Array): void {
    const { clock, log } = this.#options;
    const onDetached = (why: string): void => log.debug('carrier lost', { why });
    const pipe = new PipeStream({ role: 'listener', linkId, clock, budget: this.#options.budget, onDetached });
    const accepted: Accepted = { pipe, account: bareOf(carrier.peer), who: undefined, session: undefined };
    this.#accepted.set(linkId, accepted);
    const timer = clock.setTimer(HANDSHAKE_MS, () => pipe.destroy());
    pipe.on('error', (error) => log.debug('pipe ended', { why: error.message }));
    pipe.once('close', () => {
      timer.cancel();
      this.#accepted.delete(linkId);
    });
    const attachment = pipe.attach(carrier);
    if (attachment !== undefined && rest.length > 0) void pipe.feed(attachment, rest);
    this.#secure(accepted, carrier).then(
      () => timer.cancel(),
      (error: unknown) => log.info('a link was not made', { why: asFault(error, 'securing').message, from: carrier.peer }),
    );
  }

  async #secure(accepted: Accepted, carrier: Carrier): Promise<void> {
    const { own, findPeer, handlers, clock, log, onStranger } = this.#options;
    const isKnown = (spki: string): boolean => {
      const isPaired = findPeer(spki, accepted.account) !== undefined;
      if (!isPaired) onStranger(carrier);
      return isPaired;
    };
    const secure = await secureAsListener(accepted.pipe, own, isKnown);
    accepted.who = findPeer(secure.spki, accepted.account);
    if (accepted.who === undefined) return void accepted.pipe.destroy();
    accepted.pipe.setResumeKey(secure.resumeKey);
    this.#supersede(accepted);
    accepted.session = serveLink(secure.stream, accepted.who, { handlers, log, now: () => clock.now() });
    gateBulk(accepted.session, accepted.pipe, this.#options.gates ?? new GateGroup(clock));
    accepted.session.once('close', () => accepted.pipe.end());
  }

  /** A peer has one link to here: where it dials anew, it knows nothing more of an earlier one (it was killed, perhaps). */
  #supersede(newer: Accepted): void {
    for (const each of this.#accepted.values()) if (each !== newer && each.who === newer.who) each.pipe.destroy();
  }
}

/** A carrier whose first frame was read already: start comes later, and what it hands on is set then. */
class CarrierProxy implements Carrier {
  readonly #carrier: Carrier;
  #source: Parameters<Carrier['start']>[0] | undefined;
  #sink: Parameters<Carrier['start']>[1] | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get kind(): Carrier['kind'] {
    return this.#carrier.kind;
  }

  get addressClass(): Carrier['addressClass'] {
    return this.#carrier.addressClass;
  }

  get sid(): string {
    return this.#carrier.sid;
  }

  get peer(): Carrier['peer'] {
    return this.#carrier.peer;
  }

  get stats(): Carrier['stats'] {
    return this.#carrier.stats;
  }

  start(source: Parameters<Carrier['start']>[0], sink: Parameters<Carrier['start']>[1]): void {
    this.#source = source;
    this.#sink = sink;
  }

  takeOutgoing(max: number): Uint8Array {
    return this.#source?.takeOutgoing(max) ?? new Uint8Array(0);
  }

  receive(bytes: Uint8Array): Promise<void> {
    return this.#sink?.receive(bytes) ?? Promise.resolve();
  }

  closed(fault: Parameters<Parameters<Carrier['start']>[1]['closed']>[0]): void {
    this.#sink?.closed(fault);
  }

  wake(): void {
    this.#carrier.wake();
  }

  close(): Promise<void> {
    return this.#carrier.close();
  }
}
