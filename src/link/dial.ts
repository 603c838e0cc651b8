// One dialled link: carrier, pipe, TLS, HTTP/2, and new carriers for as long as the pipe lives (docs/PROTOCOL.md). Rule: only the dialler
// opens carriers; a link counts as up only after the other side's first answer.

import http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { LinkId } from '../pipe/frame-format.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { gateBulk, GateGroup } from './bulk-gate.ts';
import { Link } from './dialled-link.ts';
import type { DialledLink } from './dialled-link.ts';
import type { CarrierChange } from './carrier-change.ts';
import { dialLanes } from './dialled-lanes.ts';
import { Ladder } from './ladder.ts';
import type { LaneName } from './lane-format.ts';
import { PipeStream } from './pipe-stream.ts';
import { Reopener } from './reopen.ts';
import { secureAsDialler } from './secure.ts';
import type { Credentials, SecureStream } from './secure.ts';
import { followCarrier } from './window.ts';

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
  /** In-band, with larger blocks than the default where that was found to do. @throws Fault when there is no way now */
  readonly openCarrier: (address: FullJid, options?: { readonly hasLargeBlocks: boolean }) => Promise<Carrier>;
  /** Whether an in-band carrier has shown that its server takes larger blocks in its stride. */
  readonly mayGrow: (carrier: Carrier) => boolean;
  /** A connection of its own, agreed on over the link (XEP-0065), for the pipe or for one bulk lane. @throws Fault when there is none to be had */
  readonly openOwn: (session: ClientHttp2Session, address: FullJid, lane?: LaneName) => Promise<Carrier>;
  /** Called when the way may have become free: signed in again, or the peer said hello. @returns what takes it back */
  readonly onWayFree: (retry: () => void) => () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The pipe goes on over another carrier. */
  readonly onCarrier: (change: CarrierChange) => void;
  /** How long the pipe waits for a carrier, in milliseconds; asked when the link is made. */
  readonly giveUpMs: () => number;
  /** A carrier fell silent, or could not be opened in time: the connection below may be dead. */
  readonly onSuspect: () => void;
  /** The peer is not where it was, so that no new carrier can be opened; told once for each loss. */
  readonly onUnreachable: (fault: Fault) => void;
}

const SESSION_OPTIONS = { settings: { enablePush: false, initialWindowSize: 1 << 20, maxHeaderListSize: 8192 }, maxSessionInvalidFrames: 100 };
/** As long as the other side has. */
const HANDSHAKE_MS = 10_000;

/** @throws Fault `peer-offline`, `not-paired`, `newer-protocol`, `timeout` or `tls` */
export async function dialLink(options: DialOptions): Promise<DialledLink> {
  const carrier = await options.openCarrier(options.address);
  const carriers = new Reopener(options);
  let ladder: Ladder | undefined;
  const pipe = new PipeStream({
    role: 'dialler',
    linkId: options.linkId,
    clock: options.clock,
    budget: options.budget,
    giveUpMs: options.giveUpMs(),
    onDetached: (why) => carriers.detached(why),
    onSuspect: options.onSuspect,
    onFault: (why) => options.log.info('the other device broke the protocol', { why }),
    onAttached: (change) => {
      carriers.attached();
      ladder?.attached(change.carrier);
      options.onCarrier(change);
    },
  });
  carriers.bind(pipe);
  pipe.once('close', () => {
    carriers.stop();
    ladder?.stop();
  });
  pipe.attach(carrier);
  const late = (): Fault => new Fault('timeout', 'the other device did not answer');
  try {
    const session = await withDeadline(shakeHands(pipe, options), HANDSHAKE_MS, options.clock, late);
    // Both ends tell of their end once, and whoever listens from here on would wait for that for ever.
    if (session.destroyed || pipe.destroyed) throw new Fault('timeout', 'the link was lost as it came up');
    gateBulk(session, pipe, options.gates ?? new GateGroup(options.clock));
    followCarrier(session, pipe);
    dialLanes({ ...options, session, pipe, openOwn: (lane) => options.openOwn(session, options.currentAddress(), lane) });
    ladder = makeLadder(pipe, session, options);
    ladder.look();
    return new Link({ session, pipe, carriers, ladder, clock: options.clock });
  } catch (error) {
    pipe.destroy();
    throw asFault(error, 'making a link');
  }
}

function makeLadder(pipe: PipeStream, session: ClientHttp2Session, options: DialOptions): Ladder {
  const { currentAddress, openOwn, mayGrow, openCarrier, onWayFree, clock, random, log } = options;
  const ladder = new Ladder({
    pipe,
    openOwn: () => openOwn(session, currentAddress()),
    mayGrow,
    openLarge: () => openCarrier(currentAddress(), { hasLargeBlocks: true }),
    clock,
    random,
    log,
  });
  const takeBack = onWayFree(() => ladder.renew());
  pipe.once('close', takeBack);
  return ladder;
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
