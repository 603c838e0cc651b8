// The lists of the other own devices as they come in: kept by the server, in headlines, over links (docs/PROTOCOL.md, "Own devices"). Rule: read
// before anybody is let in; what the server, or whoever knows the password, made up or put back counts for nothing, and is told.

import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/clock.ts';
import { decodeBase64 } from '../lib/base64.ts';
import { asFault, Fault, InputFault } from '../lib/errors.ts';
import { bareOf, parseFullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer } from '../home/peers.ts';
import { MAX_NOTICE_BYTES, verifyNotice } from '../pairing/devices-format.ts';
import type { DeviceList } from '../pairing/devices-format.ts';
import type { Connection } from '../xmpp/connection.ts';
import { readDevices } from '../xmpp/devices.ts';
import type { Element } from '../xmpp/element.ts';
import { NS_DEVICES } from '../xmpp/namespaces.ts';
import type { DeviceBook } from './device-book.ts';
import type { Devices } from './devices.ts';
import { formatRefused, parseListBody } from './devices-telling.ts';
import type { Events } from './events.ts';
import { openList, parseList } from './sealed-list.ts';

export interface ReadingParts {
  readonly devices: Devices;
  readonly book: DeviceBook;
  readonly identity: () => Identity;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A server that keeps an answer back keeps this device waiting no longer. */
const READ_MS = 10_000;
/** Opening one costs an exchange of keys: more than so many do not wait for it. */
const MAX_WAITING = 16;

/** Hears of own devices. */
export class DevicesReading {
  readonly #parts: ReadingParts;
  readonly #headlines = new Serial();
  /** Devices whose list was read before and is not on the server. */
  readonly #missing = new Set<DeviceId>();
  #waiting = 0;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** At sign-in, before the first link is served: what was said while this device was away. */
  async read(connection: Connection): Promise<void> {
    const { devices, clock, events } = this.#parts;
    devices.telling.connection = connection;
    // From the first moment: what is said while the rest is read must not be missed.
    connection.onHeadline(NS_DEVICES, (from, payload) => {
      // Only devices of one's own account have a say in this.
      if (bareOf(parseFullJid(from)) === bareOf(connection.jid)) this.#hear(payload);
    });
    const late = (): Fault => new Fault('timeout', 'the server did not say in time which devices are unpaired');
    try {
      await withDeadline(this.#readAll(connection), READ_MS, clock, late);
    } catch (error) {
      const words = `${asFault(error, 'reading which devices are unpaired').message}; what was said while this device was away is learnt when it meets the others`;
      events.emit({ type: 'devices-unread', words });
    }
  }

  /** What this device has to say is kept by the server from now on; what others had kept there, and is gone, is told. */
  async start(): Promise<void> {
    const { devices, book, identity, events } = this.#parts;
    const missing = devices.telling.own().filter(({ device }) => this.#missing.has(device));
    this.#missing.clear();
    if (book.unpaired !== undefined || !(await devices.telling.publish())) return;
    await devices.telling.notifyLate();
    // Only where the server keeps such things at all is one that lacks there a loss.
    for (const { petname } of missing) {
      const words = `what ${petname} said of unpaired devices is gone from the server, which had kept it: the server or somebody with the password of ${identity().name}'s account took it away`;
      events.emit({ type: 'devices-missing', words, peer: petname });
    }
  }

  /** A peer tells its list on its own link. @throws InputFault, Fault `not-paired` */
  async answer(peer: Peer, body: unknown): Promise<unknown> {
    const { devices } = this.#parts;
    const list = parseList(parseListBody(body), (device) => devices.pinOf(device));
    if (list.device !== peer.device) throw new InputFault('device list', 'is another device\'s');
    return formatRefused(await devices.take(list));
  }

  async #readAll(connection: Connection): Promise<void> {
    const { devices } = this.#parts;
    const own = devices.telling.own();
    const [lists] = await Promise.all([Promise.allSettled(own.map((peer) => this.#readText(connection, peer))), this.#readNotice(connection)]);
    // One after the other, in the order of pairing: of two that unpaired each other the same one counts at every sign-in.
    for (const [index, peer] of own.entries()) {
      const read = lists[index];
      // Unpaired by one of those before it, or all of them by the notice.
      if (read === undefined || devices.pinOf(peer.device) === undefined) continue;
      try {
        if (read.status === 'rejected') throw read.reason;
        if (read.value !== undefined) await devices.take(await this.#open(read.value, peer));
      } catch (error) {
        this.#refuse(peer, error);
      }
    }
  }

  async #readText(connection: Connection, peer: Peer): Promise<string | undefined> {
    const text = await readDevices(connection, 'devices', peer.device, bareOf(connection.jid));
    if (text === undefined && this.#parts.book.seen.has(peer.device)) this.#missing.add(peer.device);
    return text;
  }

  async #open(text: string, peer: Peer): Promise<DeviceList> {
    const { devices, identity } = this.#parts;
    const list = await openList(text, identity(), (device) => devices.pinOf(device));
    if (list.device !== peer.device) throw new InputFault('device list', 'is another device\'s');
    return list;
  }

  async #readNotice(connection: Connection): Promise<void> {
    const { book, identity } = this.#parts;
    if (book.unpaired !== undefined) return;
    const text = await readDevices(connection, 'unpaired', identity().device, bareOf(connection.jid)).catch(() => undefined);
    if (text !== undefined) await this.#takeNotice(text);
  }

  async #takeNotice(text: string): Promise<void> {
    const { devices, log } = this.#parts;
    try {
      const notice = verifyNotice(decodeBase64(text, MAX_NOTICE_BYTES), (device) => devices.pinOf(device));
      if (notice !== undefined) await devices.takeNotice(notice);
    } catch (error) {
      log.info('dropped word of having been unpaired', { why: asFault(error, 'reading it').message });
    }
  }

  #hear(payload: Element): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    const heard = this.#headlines.run(() => (payload.is('unpaired', NS_DEVICES) ? this.#takeNotice(payload.text()) : this.#takeHeadline(payload.text())));
    void heard.finally(() => (this.#waiting -= 1));
  }

  /** Anybody can send one, so what is wrong with it is for the log alone. */
  async #takeHeadline(text: string): Promise<void> {
    const { devices, identity, log } = this.#parts;
    try {
      await devices.take(await openList(text, identity(), (device) => devices.pinOf(device)));
    } catch (error) {
      log.info('dropped a device list', { why: asFault(error, 'reading it').message });
    }
  }

  #refuse({ petname }: Peer, error: unknown): void {
    const { message, code } = asFault(error, 'reading it');
    const what = `what the server keeps as the word of ${petname} on unpaired devices`;
    if (code === 'not-granted') {
      this.#parts.events.emit({ type: 'devices-unread', words: `${what} cannot be read: ${message}, so ${petname} may not count this one among its own`, peer: petname });
      return;
    }
    const words = `${what} is not believed (${message}): the server, or somebody with the password of this account, may have put it there`;
    this.#parts.events.emit({ type: 'devices-forged', words, peer: petname });
  }
}
