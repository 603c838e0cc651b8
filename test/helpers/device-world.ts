// Devices of one account on a server in memory that keeps what is published and passes headlines on. Rule: identities, files, seals and signatures are
// real; only the server is made up, and it may do as the spec says.

import { join } from 'node:path';
import { parse } from 'ltx';
import { DeviceBook } from '../../src/agent/device-book.ts';
import { Devices } from '../../src/agent/devices.ts';
import { DevicesReading } from '../../src/agent/devices-reading.ts';
import type { AgentEvent } from '../../src/agent/events.ts';
import { loadIdentity } from '../../src/home/identity.ts';
import type { Identity } from '../../src/home/identity.ts';
import { Peers } from '../../src/home/peers.ts';
import type { Peer } from '../../src/home/peers.ts';
import { realClock } from '../../src/lib/clock.ts';
import { Fault } from '../../src/lib/errors.ts';
import { bareOf, parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { parsePetname } from '../../src/lib/names.ts';
import type { Connection, HeadlineHandler } from '../../src/xmpp/connection.ts';
import type { Element } from '../../src/xmpp/element.ts';
import { NS_PUBSUB } from '../../src/xmpp/namespaces.ts';
import { StanzaFault } from '../../src/xmpp/stanza-fault.ts';
import { makeHome } from './home.ts';

/** The server: nodes of the account, and who is there. */
export class WorldServer {
  readonly nodes = new Map<string, Element>();
  readonly there = new Map<FullJid, HeadlineHandler>();
  hasPep = true;
  /** Payloads of headlines, by address. */
  readonly headlines: { readonly to: FullJid; readonly payload: Element }[] = [];

  connect(jid: FullJid): Connection {
    const iq: Connection['iq'] = (type, _to, payload) => Promise.resolve().then(() => this.#answer(type, payload));
    const onHeadline: Connection['onHeadline'] = (_namespace, handler) => {
      this.there.set(jid, handler);
      return () => undefined;
    };
    const sendHeadline: Connection['sendHeadline'] = (to, payload) => {
      this.headlines.push({ to, payload });
      this.there.get(to)?.(jid, payload);
      return Promise.resolve();
    };
    const unasked = (): never => {
      throw new Error('this spec asks no such thing');
    };
    return { jid, isOpen: true, maxStanzaBytes: 65_536, iq, onHeadline, sendHeadline, handleIq: unasked, sendPresence: unasked, probe: unasked, onClose: unasked, close: unasked };
  }

  #answer(type: 'get' | 'set', payload: Element): Element | undefined {
    if (!this.hasPep) throw new StanzaFault('cancel', 'service-unavailable');
    const published = payload.getChild('publish');
    const item = published?.getChild('item')?.getChildElements()[0];
    if (published !== undefined && item !== undefined) this.nodes.set(String(published.attrs['node']), item);
    const asked = payload.getChild('items')?.attrs['node'];
    if (type !== 'get' || asked === undefined) return undefined;
    const kept = this.nodes.get(String(asked));
    if (kept === undefined) throw new StanzaFault('cancel', 'item-not-found');
    return parse(`<pubsub xmlns='${NS_PUBSUB}'><items node='${String(asked)}'><item id='current'>${kept.toString()}</item></items></pubsub>`);
  }
}

/** One device, as far as it is about devices. */
export interface WorldDevice {
  readonly identity: Identity;
  readonly address: FullJid;
  readonly book: DeviceBook;
  readonly peers: Peers;
  readonly devices: Devices;
  readonly reading: DevicesReading;
  readonly events: Omit<AgentEvent, 'at'>[];
  /** Peers with whom everything was ended. */
  readonly forgotten: string[];
  readonly welcomed: string[];
  signIn(): Promise<void>;
  signOut(): void;
  names(): string[];
  /** As others have it. */
  peer(petname: string): Peer;
}

export async function makeDevice(server: WorldServer, name: string, account = 'anna@example.org'): Promise<WorldDevice> {
  const home = await makeHome();
  const identity = await loadIdentity(home, { name });
  const address = parseFullJid(`${account}/${identity.resource}`);
  const book = await DeviceBook.open(join(home.dir, 'devices.json'));
  const peers = await Peers.open(join(home.dir, 'peers.json'));
  const [events, forgotten, welcomed]: [Omit<AgentEvent, 'at'>[], string[], string[]] = [[], [], []];
  const nobody = (): never => {
    throw new Fault('peer-offline', 'no links in this world');
  };
  const parts = { book, peers, identity: () => identity, links: { ask: nobody }, isOnline: () => false, events: { emit: (event: Omit<AgentEvent, 'at'>) => void events.push(event) }, clock: realClock, log: silentLog };
  const forget = (peer: Peer): Promise<void> => Promise.resolve(void forgotten.push(peer.petname));
  const devices = new Devices({ ...parts, forget, welcome: (peer) => void welcomed.push(peer.petname) });
  const reading = new DevicesReading({ ...parts, devices });
  return {
    identity,
    address,
    book,
    peers,
    devices,
    reading,
    events,
    forgotten,
    welcomed,
    async signIn() {
      await reading.read(server.connect(address));
      await reading.start();
    },
    signOut() {
      server.there.delete(address);
      devices.telling.connection = undefined;
    },
    names: () => peers.list().map(({ petname }) => petname).toSorted(),
    peer: (petname) => ({ device: identity.device, petname: parsePetname(petname), kind: 'own', jid: bareOf(address), address, spki: identity.spki, recipient: identity.ageRecipient, name, pairedAt: 1 }),
  };
}

/** As if the two had paired by a code. */
export async function pairInWorld(a: WorldDevice, b: WorldDevice): Promise<void> {
  await a.peers.add(b.peer(b.identity.name));
  await b.peers.add(a.peer(a.identity.name));
}
