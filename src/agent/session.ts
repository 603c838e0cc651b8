// What lives from one sign-in to the next: in-band streams, hellos, codes, announcements, the address record (docs/PROTOCOL.md,
// "Addresses"). Rule: everything here belongs to one connection and ends with it; what must outlive it is the pipe's.

import type { BareJid, FullJid } from '../lib/jid.ts';
import { bareOf } from '../lib/jid.ts';
import { asFault } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import type { SmallServers } from '../carriers/block-size-machine.ts';
import { InBand } from '../carriers/in-band.ts';
import type { Refused } from '../carriers/refused.ts';
import { Socks5 } from '../carriers/socks5.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Settings } from '../home/settings.ts';
import type { DirectMode } from '../home/settings-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { publishAddress, readAddress } from '../xmpp/address.ts';
import type { Connection } from '../xmpp/connection.ts';
import { NS_ANNOUNCE } from '../xmpp/namespaces.ts';
import { sealAnnouncement } from './announce.ts';
import type { Announcements } from './announcements.ts';
import type { Contacts } from './contacts.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';
import { interfacesOfMachine } from './network.ts';
import type { Showing } from './pair-show.ts';

export interface SessionParts {
  readonly identity: Identity;
  readonly peers: Peers;
  readonly contacts: Contacts;
  readonly showing: Showing;
  readonly announcements: Announcements;
  readonly onCarrier: (carrier: Carrier) => void;
  readonly smallServers: SmallServers;
  readonly refused: { readonly inBand: Refused; readonly socks5: Refused };
  readonly settings: Settings;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: (size: number) => Uint8Array;
}

/** One signed-in stretch of time. */
export class Session {
  readonly connection: Connection;
  readonly inBand: InBand;
  readonly socks5: Socks5;
  readonly #parts: SessionParts;

  constructor(connection: Connection, parts: SessionParts) {
    this.connection = connection;
    this.#parts = parts;
    const { clock, log, random, peers } = parts;
    const isWelcome = (from: FullJid): boolean => peers.list().some(({ jid }) => jid === bareOf(from));
    this.inBand = new InBand({ connection, clock, log: log.scope('in-band'), random, isWelcome, smallServers: parts.smallServers, refused: parts.refused.inBand });
    this.inBand.onCarrier(parts.onCarrier);
    const mode = (): DirectMode => parts.settings.direct;
    this.socks5 = new Socks5({ connection, clock, log: log.scope('socks5'), random, isWelcome, mode, interfaces: interfacesOfMachine(), refused: parts.refused.socks5 });
    this.socks5.onCarrier(parts.onCarrier);
  }

  /** Makes this device findable, then says hello. */
  async start(): Promise<void> {
    const { contacts, showing, announcements, log } = this.#parts;
    this.connection.onHeadline(NS_ANNOUNCE, (_from, payload) => void announcements.hear(payload));
    await this.publish();
    // A code that cannot be published anew must not keep this device from its peers.
    await showing.attach(this.connection).catch((error: unknown) => log.warn('codes are not shown again', { why: asFault(error, 'showing codes').message }));
    // The next connection may have begun meanwhile: the older one must not take its place.
    if (this.connection.isOpen) contacts.start(this.connection);
  }

  /** Writes the address record for the accounts that are paired now; without PEP the requested resource is the address. */
  async publish(): Promise<void> {
    const { identity, peers, events } = this.#parts;
    const members = new Set<BareJid>(peers.list().filter(({ kind }) => kind === 'other').map(({ jid }) => jid));
    try {
      await publishAddress(this.connection, identity.device, [...members]);
    } catch (error) {
      events.emit({ type: 'no-address-record', words: asFault(error, 'publishing the address').message, code: 'server' });
    }
  }

  findAddress(jid: BareJid, device: DeviceId): Promise<FullJid | undefined> {
    return readAddress(this.connection, jid, device);
  }

  /** Announces the newest map of `loop` to each of `devices` whose address is known. */
  async announce(loop: RepoLoop, devices: readonly DeviceId[]): Promise<void> {
    // By the second device the loop has already noted what is announced here.
    const before = loop.announced;
    for (const device of devices) await this.#announceTo(this.#parts.peers.byDevice(device), loop, { before });
  }

  /** Tells every peer that may read it that a hub has something new; those with a link too, for a headline is the cheapest that says so. */
  async announceHub(loop: RepoLoop, hub: string): Promise<void> {
    for (const peer of this.#parts.peers.list()) await this.#announceTo(peer, loop, { before: loop.context.maps.refsOf(this.#parts.identity.device), hub });
  }

  async #announceTo(peer: Peer | undefined, loop: RepoLoop, tell: { readonly before: RefsOfMap; readonly hub?: string }): Promise<void> {
    if (peer?.address === undefined) return;
    try {
      const payload = await sealAnnouncement(loop, this.#parts.identity, { to: peer, ...tell });
      if (payload !== undefined) await this.connection.sendHeadline(peer.address, payload);
    } catch (error) {
      this.#parts.log.info('could not announce', { peer: peer.petname, why: asFault(error, 'announcing').message });
    }
  }

  /** Ends what runs over the connection; who signed in closes it. */
  stop(): Promise<void> {
    return this.inBand.stop();
  }
}
