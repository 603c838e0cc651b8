// How devices of one account hear of each other's lists: kept by the server for those that are offline, by headline and over a link for those that
// are there (docs/PROTOCOL.md, "Own devices"). Rule: sealed to the own devices of now and to nobody else; what did not arrive is told at the next contact.

import type { Clock } from '../lib/clock.ts';
import { encodeBase64 } from '../lib/base64.ts';
import { asFault, Fault, InputFault } from '../lib/errors.ts';
import { bareOf } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { clean } from '../lib/steering.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import { requestJson } from '../link/services.ts';
import { signNotice } from '../pairing/devices-format.ts';
import { parseRecord } from '../sync/digest-format.ts';
import type { Connection } from '../xmpp/connection.ts';
import { formatDevicesPayload, publishDevices } from '../xmpp/devices.ts';
import type { DeviceBook } from './device-book.ts';
import type { HeldRevocation } from './device-book-format.ts';
import type { Events } from './events.ts';
import { formatList, sealList } from './sealed-list.ts';

export interface TellingParts {
  readonly book: DeviceBook;
  readonly identity: () => Identity;
  readonly peers: Peers;
  readonly links: Pick<Links, 'ask'>;
  readonly isOnline: (device: DeviceId) => boolean;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of telling one device. */
export interface Told {
  readonly peer: Peer;
  /** `later`: it is told when it signs in, or at the next contact. */
  readonly how: 'told' | 'later';
  /** What it does not take, in its own words. */
  readonly refused: readonly string[];
}

const ASK_DEADLINE_MS = 4_000;
const MAX_REFUSED = 8;
/** After so long a device that was unpaired has heard of it, or never will. */
const NOTICE_MS = 30 * 86_400_000;
const MAX_NOTICES = 8;

/** Tells this device's own list. */
export class DevicesTelling {
  readonly #parts: TellingParts;
  readonly #publishing = new Serial();
  /** Counter of the list that each device is known to have. */
  readonly #told = new Map<DeviceId, number>();
  connection: Connection | undefined;

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  /** The devices of this account. */
  own(): readonly Peer[] {
    return this.#parts.peers.list().filter(({ kind }) => kind === 'own');
  }

  /** Puts what this device says where the others find it at their next sign-in. @returns whether it lies there */
  publish(): Promise<boolean> {
    return this.#publishing.run(async () => {
      const { book, identity, events } = this.#parts;
      const { connection } = this;
      const own = this.own();
      if (connection === undefined || book.counter === 0 || own.length === 0) return false;
      try {
        const sealed = await sealList(book.list(identity().device, bareOf(connection.jid)), identity(), own);
        await publishDevices(connection, 'devices', identity().device, sealed);
        return true;
      } catch (error) {
        const words = `devices that are offline cannot be told of unpaired and new ones until they meet this one: ${asFault(error, 'keeping it on the server').message}`;
        events.emit({ type: 'devices-unpublished', words, code: 'server' });
        return false;
      }
    });
  }

  /** Tells every own device, also those that do not answer now. */
  async spread(): Promise<readonly Told[]> {
    void this.publish();
    const own = this.own();
    await Promise.all(own.map((peer) => this.#headline(peer)));
    return Promise.all(own.map((peer) => this.exchange(peer)));
  }

  /** Over a link, where the device may not have the newest list; nothing is done for one that has it, or is not there. */
  async exchange(peer: Peer): Promise<Told> {
    const { book, identity, links, clock, isOnline, log } = this.#parts;
    const { counter } = book;
    const nothing = { peer, how: 'told', refused: [] } as const;
    if (peer.kind !== 'own' || counter === 0 || this.#told.get(peer.device) === counter) return nothing;
    if (!isOnline(peer.device)) return { ...nothing, how: 'later' };
    const body = { list: formatList(book.list(identity().device, peer.jid), identity()) };
    try {
      const options = { clock, deadlineMs: ASK_DEADLINE_MS };
      const answer = await links.ask(peer.device, (session) => requestJson(session, { method: 'POST', path: '/devices', body }, options));
      this.#told.set(peer.device, counter);
      return { ...nothing, refused: parseRefused(answer) };
    } catch (error) {
      const fault = asFault(error, 'telling of devices');
      // One that knows no such request will not know it the next time either.
      if (fault instanceof InputFault || fault.code === 'bad-input') this.#told.set(peer.device, counter);
      log.info('could not tell of devices', { peer: peer.petname, why: fault.message });
      return { ...nothing, how: 'later' };
    }
  }

  /** Tells a device that it was unpaired: signed, and readable by the server, for nothing is sealed to that device any more. */
  async notify({ device, by, at }: HeldRevocation, address: FullJid | undefined): Promise<void> {
    const { identity, log } = this.#parts;
    const { connection } = this;
    if (connection === undefined || by !== identity().device) return;
    const text = encodeBase64(signNotice({ device, by, at }, identity().keyPem));
    const tries = [publishDevices(connection, 'unpaired', device, text), ...(address === undefined ? [] : [connection.sendHeadline(address, formatDevicesPayload('unpaired', text))])];
    for (const each of await Promise.allSettled(tries)) {
      if (each.status === 'rejected') log.info('could not tell a device that it was unpaired', { why: asFault(each.reason, 'telling it').message });
    }
  }

  /** What was unpaired while nobody was signed in is told now. */
  async notifyLate(): Promise<void> {
    const { book, identity, clock } = this.#parts;
    const mine = book.revoked.filter(({ by, at }) => by === identity().device && clock.now() - at < NOTICE_MS);
    for (const held of mine.slice(-MAX_NOTICES)) await this.notify(held, undefined);
  }

  /** Sealed to that device alone: whoever is there acts at once, with no link made first. */
  async #headline(peer: Peer): Promise<void> {
    const { book, identity, log } = this.#parts;
    const { connection } = this;
    if (connection === undefined || peer.address === undefined || book.counter === 0) return;
    try {
      const sealed = await sealList(book.list(identity().device, peer.jid), identity(), [peer]);
      await connection.sendHeadline(peer.address, formatDevicesPayload('devices', sealed));
    } catch (error) {
      log.info('could not tell of devices by headline', { peer: peer.petname, why: asFault(error, 'telling').message });
    }
  }
}

/** @throws InputFault */
function parseRefused(answer: unknown): string[] {
  const { refused } = parseRecord(answer, 'answer to a device list');
  if (!Array.isArray(refused) || refused.length > MAX_REFUSED) throw new InputFault('answer to a device list', 'names no list of refusals');
  return refused.map((each) => (typeof each === 'string' ? clean(each.slice(0, 300)) : 'something'));
}

/** What is answered to a list. */
export function formatRefused(refused: readonly string[]): unknown {
  return { refused: refused.slice(0, MAX_REFUSED) };
}

/** The list in a request. @throws InputFault */
export function parseListBody(body: unknown): string {
  const { list } = parseRecord(body, 'device list');
  if (typeof list !== 'string') throw new InputFault('device list', 'is no text');
  return list;
}

/** A card can be made only of a device whose address is known. @throws Fault `peer-offline` */
export function requireAddress({ petname, address }: Peer): FullJid {
  if (address !== undefined) return address;
  throw new Fault('peer-offline', `${petname} was never seen, so where it can be reached is not known`, { remedy: 'try again once it was online' });
}
