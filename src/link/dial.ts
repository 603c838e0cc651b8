// One dialled link: carrier, pipe, TLS, HTTP/2, and new carriers for as long as the pipe lives (docs/PROTOCOL.md). Rule: only the dialler
// opens carriers; a link counts as up only after the other side's first answer.

import http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { withDeadline } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { LinkId } from '../pipe/frame-format.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { gateBulk, GateGroup } from './bulk-gate.ts';
import { PipeStream } from './pipe-stream.ts';
import { Reopener } from './reopen.ts';
import { secureAsDialler } from './secure.ts';
import type { Credentials, SecureStream } from './secure.ts';

export interface DialOptions {
  readonly own: Credentials;
  /** The peer's pinned public key, base64 SPKI. */
  readonly pin: string;
  readonly linkId: LinkId;
  /** What all pipes of this agent may keep for replay together. */
  readonly budget?: ReplayBudget | undefined;
  /** The gates of all links of this agent. */
  readonly gates?: GateGroup | undefined;
  readonly address: FullJid;
  /** Where the peer is by now, for a new carrier. */
  readonly currentAddress: () => FullJid;
  /** @throws Fault when there is no way now */
  readonly openCarrier: (address: FullJid) => Promise<Carrier>;
  /** Called when the way may have become free: signed in again, or the peer said hello. @returns what takes it back */
  readonly onWayFree: (retry: () => void) => () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The pipe goes on over another carrier; offsets in bytes, of what the peer has of ours and of what we have of its. */
  readonly onResumed: (at: { readonly sent: number; readonly received: number }) => void;
  /** The peer is not where it was, so that no new carrier can be opened; told once for each loss. */
  readonly onUnreachable: (fault: Fault) => void;
}

/** What a link has carried, and over what. */
export interface LinkStats {
  readonly kind: string;
  readonly srttMs: number;
  readonly sent: number;
  readonly received: number;
}

/** A link that is up. */
export interface DialledLink {
  readonly session: ClientHttp2Session;
  stats(): LinkStats;
  /**
   * Settles as `work` does, or rejects with `peer-offline` once the link has been without a carrier for `graceMs`: for what has only
   * just been asked. What is under way already waits as long as the pipe does.
   */
  within<T>(work: Promise<T>, graceMs: number): Promise<T>;
  /** Called once, when the link has ended. */
  onClose(listener: (fault: Fault) => void): void;
  /** Lets running requests end, then says so to the peer. */
  close(): Promise<void>;
  destroy(fault: Fault): void;
}

const SESSION_OPTIONS = { settings: { enablePush: false, initialWindowSize: 1 << 20, maxHeaderListSize: 8192 }, maxSessionInvalidFrames: 100 };
const CLOSE_GRACE_MS = 2_000;
/** As long as the other side has. */
const HANDSHAKE_MS = 10_000;

/** @throws Fault `peer-offline`, `not-paired`, `newer-protocol`, `timeout` or `tls` */
export async function dialLink(options: DialOptions): Promise<DialledLink> {
  const carrier = await options.openCarrier(options.address);
  const carriers = new Reopener(options);
  const pipe = new PipeStream({
    role: 'dialler',
    linkId: options.linkId,
    clock: options.clock,
    budget: options.budget,
    onDetached: (why) => carriers.detached(why),
    onAttached: (epoch, resumedAt) => {
      carriers.attached();
      if (epoch > 0) options.onResumed({ sent: resumedAt, received: pipe.stats.received });
    },
  });
  carriers.bind(pipe);
  pipe.once('close', () => carriers.stop());
  pipe.attach(carrier);
  const late = (): Fault => new Fault('timeout', 'the other device did not answer');
  try {
    const session = await withDeadline(shakeHands(pipe, options), HANDSHAKE_MS, options.clock, late);
    keepBusy(session, pipe);
    gateBulk(session, pipe, options.gates ?? new GateGroup(options.clock));
    return new Link({ session, pipe, carriers, clock: options.clock });
  } catch (error) {
    pipe.destroy();
    throw asFault(error, 'making a link');
  }
}

async function shakeHands(pipe: PipeStream, { own, pin }: DialOptions): Promise<ClientHttp2Session> {
  const secure = await secureAsDialler(pipe, own, pin);
  pipe.setResumeKey(secure.resumeKey);
  return openSession(secure);
}

/** Waits for the peer's first frame: a close_notify before it is the peer's "not paired here". */
function openSession({ stream }: SecureStream): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect('https://peer', { ...SESSION_OPTIONS, createConnection: () => stream });
    const refused = (): void => {
      reject(new Fault('not-paired', 'this device is not paired there any more'));
      session.destroy();
    };
    stream.once('end', refused);
    // HTTP/2 reads past this stream, which tells its end only to somebody who reads it, too.
    stream.resume();
    session.on('error', () => session.destroy());
    session.once('remoteSettings', () => {
      stream.off('end', refused);
      resolve(session);
    });
    session.once('close', () => reject(new Fault('timeout', 'the link was lost before it was up')));
  });
}

/** While a request is open, the pipe looks into silence. */
function keepBusy(session: ClientHttp2Session, pipe: PipeStream): void {
  let open = 0;
  const request = session.request.bind(session);
  session.request = (headers, requestOptions) => {
    const stream = request(headers, requestOptions);
    open += 1;
    pipe.setBusy(true);
    stream.once('close', () => {
      open -= 1;
      if (open === 0 && !pipe.destroyed) pipe.setBusy(false);
    });
    return stream;
  };
}

interface LinkParts {
  readonly session: ClientHttp2Session;
  readonly pipe: PipeStream;
  readonly carriers: Reopener;
  readonly clock: Clock;
}

class Link implements DialledLink {
  readonly session: ClientHttp2Session;
  readonly #pipe: PipeStream;
  readonly #carriers: Reopener;
  readonly #clock: Clock;
  #fault: Fault | undefined;
  readonly #listeners: ((fault: Fault) => void)[] = [];

  constructor({ session, pipe, carriers, clock }: LinkParts) {
    this.session = session;
    this.#pipe = pipe;
    this.#carriers = carriers;
    this.#clock = clock;
    const ended = (): void => this.#end(new Fault('timeout', 'the link to the other device was lost'));
    session.once('close', ended);
    session.once('goaway', () => session.close());
    pipe.once('error', (error) => this.#end(asFault(error, 'the link')));
    // The other side took leave: neither TLS nor HTTP/2 ends a session for an end to read alone.
    pipe.once('end', ended);
    pipe.once('close', ended);
  }

  stats(): LinkStats {
    const { carrier, stats } = this.#pipe;
    return { kind: carrier?.kind ?? 'none', srttMs: Math.round(carrier?.stats.srttMs ?? 0), sent: stats.sent, received: stats.received };
  }

  within<T>(work: Promise<T>, graceMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const offline = (): void => reject(new Fault('peer-offline', 'no way to the other device is open'));
      const stop = this.#carriers.watch((isCarried) => {
        timer?.cancel();
        timer = isCarried ? undefined : this.#clock.setTimer(graceMs, offline);
      });
      work.then(resolve, reject).finally(() => {
        timer?.cancel();
        stop();
      });
    });
  }

  onClose(listener: (fault: Fault) => void): void {
    if (this.#fault !== undefined) listener(this.#fault);
    else this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    const timer = this.#clock.setTimer(CLOSE_GRACE_MS, () => this.session.destroy());
    await new Promise<void>((resolve) => {
      if (this.session.destroyed) return resolve();
      this.session.once('close', resolve);
      this.session.close();
    });
    timer.cancel();
    this.#pipe.end();
  }

  destroy(fault: Fault): void {
    this.#end(fault);
    this.session.destroy();
    this.#pipe.destroy();
  }

  #end(fault: Fault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.session.destroy();
    if (!this.#pipe.destroyed) this.#pipe.destroy();
    for (const listener of this.#listeners.splice(0)) listener(fault);
  }
}
