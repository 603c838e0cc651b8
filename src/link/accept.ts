// Carriers that peers opened: each begins with OPEN (a new pipe) or RESUME (one that lost its carrier), and is led to its pipe
// (docs/PROTOCOL.md, "Pipe"). Rule: before TLS is up everything is bounded in number, bytes and time.

import type { ServerHttp2Session } from 'node:http2';
import type { Clock } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
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
import type { CarrierChange } from './carrier-change.ts';
import { CarrierProxy } from './carrier-proxy.ts';
import { keepAwake } from './keep-awake.ts';
import { LaneDoor } from './lane-door.ts';
import { statsOf } from './link-stats.ts';
import type { LinkStats } from './link-stats.ts';
import { Offences } from './offences.ts';
import { PipeStream } from './pipe-stream.ts';
import { secureAsListener } from './secure.ts';
import type { Credentials } from './secure.ts';
import { serveLink } from './serve.ts';
import type { LinkHandlers } from './serve.ts';
import { serveLanes } from './served-lanes.ts';
import { SilentCarriers } from './silent-carriers.ts';
import { followCarrier } from './window.ts';

export interface AcceptOptions {
  readonly own: Credentials;
  /** The peer with that public key, if it is paired and of that account. */
  readonly findPeer: (spki: string, account: BareJid) => DeviceId | undefined;
  readonly handlers: LinkHandlers<DeviceId>;
  readonly clock: Clock;
  readonly log: Log;
  /** What all pipes of this agent may keep for replay together. */
  readonly budget?: ReplayBudget | undefined;
  /** How long a pipe waits for a carrier, in milliseconds; asked when the link is made. */
  readonly giveUpMs: () => number;
  /** A carrier fell silent: the connection below may be dead. */
  readonly onSuspect: () => void;
  /** The gates of all links of this agent. */
  readonly gates?: GateGroup | undefined;
  /** A device that is not paired knocked. */
  readonly onStranger: (carrier: Carrier) => void;
  /** A running link goes on over another carrier. */
  readonly onCarrier: (who: DeviceId, change: CarrierChange) => void;
}

interface Accepted {
  readonly linkId: LinkId;
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
  readonly #silent: SilentCarriers;
  readonly #offences: Offences;
  readonly #lanes: LaneDoor;

  constructor(options: AcceptOptions) {
    this.#options = options;
    this.#offences = new Offences(options.log);
    this.#silent = new SilentCarriers(options.clock);
    this.#lanes = new LaneDoor({ ...options, offences: this.#offences });
  }

  /** How often anything was refused. */
  get refusals(): number {
    return this.#offences.total;
  }

  /** Takes a carrier that a peer opened. */
  accept(carrier: Carrier): void {
    if (this.#lanes.take(carrier)) return;
    const { clock } = this.#options;
    const spoke = this.#silent.wait(carrier, HANDSHAKE_MS);
    if (spoke === undefined) return this.#offences.note(bareOf(carrier.peer), 'refused a carrier', { why: 'too many say nothing', from: carrier.peer });
    let early: Uint8Array = new Uint8Array(0);
    let answer: Uint8Array | undefined;
    let feed: ((bytes: Uint8Array) => Promise<void>) | undefined;
    const proxy = new CarrierProxy(carrier);
    const receive = (bytes: Uint8Array): Promise<void> => {
      if (feed !== undefined) return feed(bytes);
      early = concatBytes([early, bytes]);
      const first = this.#readFirst(early, carrier);
      if (first === undefined) {
        if (early.length > FIRST_FRAME_BYTES) void carrier.close();
        return Promise.resolve();
      }
      spoke();
      const refused = this.#route(first, proxy);
      feed = (more) => {
        this.#bound(first.frame.linkId);
        return proxy.receive(more);
      };
      if (refused === undefined) return Promise.resolve();
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
        probe: () => proxy.probe(),
      },
      { receive, closed: (fault) => { spoke(); proxy.closed(fault); } },
    );
  }

  /** Ends every link of a peer that was unpaired. */
  drop(who: DeviceId): void {
    for (const each of this.#accepted.values()) if (each.who === who) each.pipe.destroy();
  }

  /** What the link that a peer dialled has carried; undefined when there is none. */
  stats(who: DeviceId): LinkStats | undefined {
    const found = [...this.#accepted.values()].find((each) => each.who === who);
    return found === undefined ? undefined : statsOf(found.pipe, found.session);
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
      this.#offences.note(bareOf(carrier.peer), 'a carrier began with nonsense', { why: asFault(error, 'reading').message });
      void carrier.close();
      return undefined;
    }
  }

  /** @returns why it is refused */
  #route({ frame, rest }: FirstFrame, carrier: Carrier): ToldReason | undefined {
    const account = bareOf(carrier.peer);
    const known = this.#accepted.get(frame.linkId);
    const refuse = (reason: ToldReason, why: string = reason): ToldReason => {
      this.#offences.note(known?.account === account ? frame.linkId : account, 'refused a carrier', { why, from: carrier.peer });
      return reason;
    };
    if (frame.type === 'resume') {
      if (known === undefined || known.account !== account) return refuse('unknown-link');
      const why = known.pipe.resumeOn(frame, carrier, rest);
      return why === undefined ? undefined : refuse('refused', why);
    }
    if (frame.type === 'open' && frame.version > PIPE_VERSION) return refuse('newer-version');
    if (known !== undefined) return refuse('refused', 'that link is there already');
    const unsecured = [...this.#accepted.values()].filter((each) => each.who === undefined && each.account === account);
    if (unsecured.length >= MAX_UNSECURED_PER_ACCOUNT || this.#accepted.size >= MAX_PIPES) return refuse('busy');
    this.#open(frame.linkId, carrier, rest);
    return undefined;
  }

  /** Who has not shown a key yet may send what a handshake takes, and no more. */
  #bound(linkId: LinkId): void {
    const accepted = this.#accepted.get(linkId);
    if (accepted !== undefined && accepted.who === undefined && accepted.pipe.stats.received > UNSECURED_BYTES) accepted.pipe.destroy();
  }

  #open(linkId: LinkId, carrier: Carrier, rest: Uint8Array): void {
    const { clock, log, budget, onSuspect } = this.#options;
    const onDetached = (why: string): void => log.debug('carrier lost', { why });
    const onAttached = (change: CarrierChange): void => {
      if (accepted.who !== undefined) this.#options.onCarrier(accepted.who, change);
    };
    const onFault = (why: string): void => this.#offences.note(linkId, 'the other device broke the protocol', { why, from: carrier.peer });
    const pipe = new PipeStream({ role: 'listener', linkId, clock, budget, giveUpMs: this.#options.giveUpMs(), onDetached, onAttached, onSuspect, onFault });
    const accepted: Accepted = { linkId, pipe, account: bareOf(carrier.peer), who: undefined, session: undefined };
    this.#accepted.set(linkId, accepted);
    const timer = clock.setTimer(HANDSHAKE_MS, () => pipe.destroy());
    pipe.on('error', (error) => log.debug('pipe ended', { why: error.message }));
    pipe.once('close', () => {
      timer.cancel();
      this.#accepted.delete(linkId);
      this.#offences.ended(linkId);
    });
    const attachment = pipe.attach(carrier);
    if (attachment !== undefined && rest.length > 0) void pipe.feed(attachment, rest);
    this.#secure(accepted, carrier).then(
      () => timer.cancel(),
      (error: unknown) => this.#notMade(asFault(error, 'securing'), carrier),
    );
  }

  /** Those that cost the one who asks nothing to repeat are told once. */
  #notMade({ code, message: why }: Fault, { peer: from }: Carrier): void {
    const what = 'a link was not made';
    if (code === 'not-paired' || code === 'tls') this.#offences.note(bareOf(from), what, { why, from });
    else this.#options.log.info(what, { why, from });
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
    followCarrier(accepted.session, accepted.pipe);
    const { linkId, account, session } = accepted;
    serveLanes({ session, linkId, account, spki: secure.spki, door: this.#lanes, offences: this.#offences, clock, budget: this.#options.budget });
    session.once('close', () => accepted.pipe.end());
    keepAwake(session, accepted.pipe);
  }

  /** A peer has one link to here: where it dials anew, it knows nothing more of an earlier one (it was killed, perhaps). */
  #supersede(newer: Accepted): void {
    for (const each of this.#accepted.values()) if (each !== newer && each.who === newer.who) each.pipe.destroy();
  }
}
