// The ways from here to a peer: in-band through the server, and connections of their own that are agreed on over the link (docs/PROTOCOL.md,
// "Carriers"). Rule: where to connect to is believed only inside the link, for the server could say anything; every change of way is an event.

import type { ClientHttp2Session } from 'node:http2';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { bareOf, parseFullJid } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { LARGE_BLOCK_SIZE } from '../carriers/block-size-machine.ts';
import { parseOffer } from '../carriers/bytestreams-format.ts';
import { IbbSession } from '../carriers/ibb-session.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Settings } from '../home/settings.ts';
import { describeChange } from '../link/carrier-change.ts';
import type { CarrierChange } from '../link/carrier-change.ts';
import type { LaneName } from '../link/lane-format.ts';
import { LimitedCarrier } from '../link/limited-carrier.ts';
import { requestJson } from '../link/services.ts';
import { parseRecord } from '../sync/digest-format.ts';
import type { Events } from './events.ts';
import { Limits } from './limits.ts';
import type { Session } from './session.ts';

export interface WaysParts {
  readonly peers: Peers;
  readonly settings: Settings;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
}

/** How long the peer has to note an offer. */
const NOTE_MS = 30_000;
/** How long a noted offer is waited for. */
const EXPECT_MS = 30_000;

/** All ways to all peers, while signed in. */
export class Ways {
  readonly #parts: WaysParts;
  readonly limits: Limits;
  readonly #retries = new Map<() => void, DeviceId>();
  /** The stretch of time that is signed in. */
  session: Session | undefined;
  #down: Fault | undefined;

  constructor(parts: WaysParts) {
    this.#parts = parts;
    this.limits = new Limits(parts);
  }

  /** Why no peer can be reached through the server, which is this device's own affair; undefined while signed in. */
  get down(): Fault | undefined {
    if (this.session !== undefined) return undefined;
    return this.#down ?? new Fault('not-connected', 'it is not signed in', { remedy: 'git xmpp status tells why' });
  }

  /** The session ended, or the next one did not come up. */
  lost(fault: Fault): void {
    this.session = undefined;
    this.#down = fault;
  }

  /** `retry` is called when a way to `device` may have become free. @returns what takes it back */
  onFree(device: DeviceId, retry: () => void): () => void {
    this.#retries.set(retry, device);
    return () => this.#retries.delete(retry);
  }

  /** Signed in again, or the network is another; or a peer said hello, which says nothing of the others. */
  retry(device?: DeviceId): void {
    for (const [retry, each] of this.#retries) if (device === undefined || device === each) retry();
  }

  /** In-band, through the server. @throws Fault as `InBand.open`, `not-connected` while signed out */
  async openInBand(to: FullJid, how?: { readonly hasLargeBlocks: boolean }): Promise<Carrier> {
    const options = how?.hasLargeBlocks === true ? { blockSize: LARGE_BLOCK_SIZE } : {};
    return this.limits.limit(await this.#requireSession().inBand.open(to, options));
  }

  /** Whether larger in-band blocks than this carrier has are worth another stream. */
  mayGrow(carrier: Carrier): boolean {
    const inner = carrier instanceof LimitedCarrier ? carrier.inner : carrier;
    if (this.session === undefined || !(inner instanceof IbbSession)) return false;
    return this.session.inBand.suggestBlockSize(inner) > inner.blockSize;
  }

  /** A connection of its own, for the link or for one bulk lane of it. @throws Fault as `Socks5`, and the peer's refusal */
  async openOwn(link: ClientHttp2Session, to: FullJid, lane?: LaneName): Promise<Carrier> {
    const { settings, clock } = this.#parts;
    const { socks5, connection } = this.#requireSession();
    await settings.refresh();
    const offer = await socks5.prepare(to);
    try {
      const { sid, streamhosts } = offer;
      const body = { requester: connection.jid, sid, streamhosts, ...(lane === undefined ? {} : { lane }) };
      await requestJson(link, { method: 'POST', path: '/carriers', body }, { clock, deadlineMs: NOTE_MS });
      return this.limits.limit(await offer.open());
    } catch (error) {
      offer.cancel();
      throw error;
    }
  }

  /** A peer says over its link what it is about to offer. @throws InputFault, Fault `not-connected` */
  async expect(peer: Peer, body: unknown): Promise<void> {
    await this.#parts.settings.refresh();
    const { requester, ...offer } = parseRecord(body, 'carriers');
    const from = parseFullJid(typeof requester === 'string' ? requester : '');
    if (bareOf(from) !== peer.jid) throw new Fault('bad-input', 'the requester is of another account');
    this.#requireSession().socks5.expect(from, parseOffer(offer), EXPECT_MS, peer.device);
  }

  /** Whether the server still answers: silence on a link may be its own, and better found out at once than after its minute. */
  probe(): Promise<boolean> {
    return this.session?.connection.probe() ?? Promise.resolve(false);
  }

  /** Where the server says that a device is; noted where that is news. */
  async lookUp(device: DeviceId): Promise<FullJid | undefined> {
    const { peers } = this.#parts;
    const peer = peers.byDevice(device);
    if (peer === undefined || this.session === undefined) return undefined;
    const address = await this.session.findAddress(peer.jid, device).catch(() => undefined);
    // A disk that takes nothing keeps nobody from being dialled.
    if (address !== undefined && address !== peer.address) await peers.update(device, { address }).catch(() => undefined);
    return address;
  }

  /** A link to or from `device` goes on over another carrier. That it had to be resumed is told by the one who dialled it. */
  changed(device: DeviceId, change: CarrierChange, by: 'dialler' | 'listener'): void {
    const { peers, events } = this.#parts;
    const peer = peers.byDevice(device)?.petname ?? 'a peer';
    if (change.lost !== undefined && by === 'dialler') {
      const words = `resumed at byte ${change.received} coming in, ${change.sent} going out`;
      events.emit({ type: 'resumed', words, peer, bytes: change.received });
    }
    const words = describeChange(change, by);
    if (words !== undefined) events.emit({ type: 'carrier', words, peer });
  }

  #requireSession(): Session {
    if (this.session !== undefined) return this.session;
    throw new Fault('not-connected', 'this device is not signed in', { remedy: 'git xmpp status tells why' });
  }
}
