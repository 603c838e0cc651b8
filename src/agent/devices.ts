// The devices of one's own account: unpaired for all of them, introduced to all of them (docs/PROTOCOL.md, "Own devices"). Rule: what other devices say is
// judged by one machine and written down before it takes effect; then everything with an unpaired device ends at once.

import { Fault, InputFault } from '../lib/errors.ts';
import { bareOf } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { choosePetname } from '../home/peers.ts';
import type { Peer } from '../home/peers.ts';
import { foldPetname } from '../home/petname-format.ts';
import type { DeviceCard } from '../pairing/card-format.ts';
import { judgeList } from '../pairing/devices-machine.ts';
import type { Verdict } from '../pairing/devices-machine.ts';
import type { DeviceList, Introduced, Notice, Revoked } from '../pairing/devices-format.ts';
import type { HeldRevocation } from './device-book-format.ts';
import { DevicesTelling, requireAddress } from './devices-telling.ts';
import type { TellingParts, Told } from './devices-telling.ts';
import { describeRevoked, describeUnpaired, orphanNote, revokedFault, unpairedFault, unpairedNote } from './devices-words.ts';

export interface DevicesParts extends TellingParts {
  /** Ends everything with a peer at once. */
  readonly forget: (peer: Peer, fault: Fault) => Promise<void>;
  /** A device became a peer: grants, and a hello once it knows this one too. */
  readonly welcome: (peer: Peer) => void;
}

/** What became of `git xmpp unpair` or `introduce`. */
export interface DevicesOutcome {
  readonly told: readonly Told[];
  /** Peers that the one which was unpaired had introduced. */
  readonly orphans: readonly Peer[];
}

/** Own devices, as long as the agent runs. */
export class Devices {
  readonly telling: DevicesTelling;
  readonly #parts: DevicesParts;
  readonly #serial = new Serial();

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    this.telling = new DevicesTelling(parts);
    parts.peers.whyGone = (name) => this.#whyGone(name);
  }

  /** A crash may have come between the word and the deed. */
  async start(): Promise<void> {
    const { book, peers } = this.#parts;
    if (book.unpaired !== undefined) await this.#bowOut();
    for (const held of book.revoked) {
      const peer = peers.byDevice(held.device);
      if (peer !== undefined) await this.#drop(peer, describeRevoked(peer.petname, held));
    }
  }

  /** Whether this device's own key still counts. */
  get isPaired(): boolean {
    return this.#parts.book.unpaired === undefined;
  }

  /** Unpairs a peer here and nowhere else. */
  letGo(peer: Peer, words: string): Promise<void> {
    return this.#serial.run(() => this.#drop(peer, words));
  }

  /** Nothing that was said under the old key holds under a new one. */
  beginAnew(): Promise<void> {
    return this.#parts.book.clear();
  }

  isRevoked(device: DeviceId): boolean {
    return this.#parts.book.revocationOf(device) !== undefined;
  }

  /** @throws Fault `not-paired` on a device that was unpaired itself: its key counts nowhere any more */
  requireOwnKey(): void {
    const { unpaired } = this.#parts.book;
    if (unpaired !== undefined) throw unpairedFault(unpaired);
  }

  /** @throws Fault `not-paired` when the card's device was unpaired by one of one's own */
  checkCard({ device, name, address }: DeviceCard): void {
    const held = this.#parts.book.revocationOf(device);
    if (held === undefined) return;
    void this.telling.notify(held, address);
    throw revokedFault(name, held);
  }

  /** What waits for a person. */
  get notes(): readonly string[] {
    const { book, peers } = this.#parts;
    const orphans = peers.list().filter(({ via }) => via !== undefined && this.isRevoked(via));
    return [...(book.unpaired === undefined ? [] : [unpairedNote(book.unpaired)]), ...orphans.map(orphanNote)];
  }

  /** Unpairs a device, for good where it is one's own. */
  async unpair(peer: Peer): Promise<DevicesOutcome> {
    const { book, identity, clock, peers } = this.#parts;
    const held: HeldRevocation = { device: peer.device, by: identity().device, at: clock.now(), name: peer.petname, byName: identity().name };
    const orphans = peers.list().filter(({ via, device }) => via === peer.device && device !== peer.device);
    await this.#serial.run(async () => {
      if (peer.kind === 'own') await book.revoke([held], held.at);
      await this.#drop(peer, `unpaired ${peer.petname}`);
    });
    if (peer.kind === 'other') return { told: [], orphans };
    void this.telling.notify(held, peer.address);
    return { told: await this.telling.spread(), orphans };
  }

  /** Vouches for an own device to the others, and for them to it. @throws Fault saying why not */
  async introduce(peer: Peer): Promise<DevicesOutcome> {
    const { book, clock } = this.#parts;
    this.requireOwnKey();
    if (peer.kind === 'other') throw new Fault('wrong-use', `${peer.petname} is a device of another account: only your own are introduced to each other`);
    if (peer.via !== undefined) {
      throw new Fault('not-granted', `${peer.petname} was introduced to this device itself`, { remedy: `introduce it on ${peer.viaName ?? 'the device that knows it by a code'}, or pair the two by a code` });
    }
    const others = this.telling.own().filter(({ device, via, address }) => device !== peer.device && via === undefined && address !== undefined);
    if (others.length === 0) throw new Fault('no-such-peer', `no other device of yours is paired with this one by a code: there is nobody to introduce ${peer.petname} to`);
    const at = clock.now();
    const toOthers: Introduced = { card: cardOf(peer), at, to: others.map(({ device }) => device) };
    await book.introduce([toOthers, ...others.map((other) => ({ card: cardOf(other), at, to: [peer.device] }))], at);
    const told = await this.telling.spread();
    const names = others.map(({ petname }) => petname).join(', ');
    this.#parts.events.emit({ type: 'introduced', words: `introduced ${peer.petname} to ${names}`, peer: peer.petname });
    return { told: told.filter((each) => each.peer.device === peer.device || others.includes(each.peer)), orphans: [] };
  }

  /** A list of another device, whatever way it came; `from` signed it. @returns what of it does not count, in words that complete "laptop …" */
  take(list: DeviceList): Promise<readonly string[]> {
    return this.#serial.run(async () => {
      const { peers, book } = this.#parts;
      const from = peers.byDevice(list.device);
      const verdict = judgeList(list, this.#facts(from?.jid ?? list.account));
      if (verdict.type === 'known' || from === undefined) return [];
      if (verdict.type === 'refused') throw new InputFault('device list', verdict.why);
      const me = verdict.revoked.find(({ device }) => device === this.#parts.identity().device);
      if (me !== undefined) return this.#unpairedBy(me);
      await this.#apply(verdict, from);
      await book.noteSeen(list.device, list.counter);
      return verdict.refused;
    });
  }

  /** Word that this very device was unpaired. */
  takeNotice(notice: Notice): Promise<void> {
    return this.#serial.run(async () => {
      if (notice.device === this.#parts.identity().device) await this.#unpairedBy(notice);
    });
  }

  /** The key that pins a device whose word counts here: own, and not unpaired. */
  pinOf(device: DeviceId): string | undefined {
    const peer = this.#parts.peers.byDevice(device);
    return peer?.kind === 'own' && !this.isRevoked(device) ? peer.spki : undefined;
  }

  async #apply({ revoked, added, refused }: Extract<Verdict, { type: 'taken' }>, from: Peer): Promise<void> {
    const { book, peers, clock, events } = this.#parts;
    const held = revoked.map((each) => this.#named(each, from));
    if (held.length > 0) await book.revoke(held, clock.now());
    // One that cannot be let go of whole (a full disk) keeps none of the others.
    const dropped = held.map(async (each) => {
      const peer = peers.byDevice(each.device);
      if (peer !== undefined) await this.#drop(peer, describeRevoked(peer.petname, each), from.petname);
    });
    for (const each of await Promise.allSettled(dropped)) if (each.status === 'rejected') throw each.reason;
    for (const card of added) await this.#add(card, from);
    for (const why of refused) events.emit({ type: 'devices-refused', words: `${from.petname} ${why}`, peer: from.petname });
    // Others may never meet the device that said it first.
    if (held.length > 0) void this.telling.spread();
  }

  #named(revoked: Revoked, from: Peer): HeldRevocation {
    const { peers } = this.#parts;
    const name = peers.byDevice(revoked.device)?.petname;
    const byName = peers.byDevice(revoked.by)?.petname ?? this.#parts.book.revocationOf(revoked.by)?.name ?? from.petname;
    return { ...revoked, byName, ...(name === undefined ? {} : { name }) };
  }

  async #add(card: DeviceCard, from: Peer): Promise<void> {
    const { peers, clock, events } = this.#parts;
    const { device, jid, spki, recipient, name, address, version } = card;
    const petname = choosePetname(name, jid, 'own', peers.list().map((each) => each.petname));
    const peer: Peer = { device, petname, kind: 'own', jid, address, spki, recipient, name, pairedAt: clock.now(), version, via: from.device, viaName: from.petname };
    await peers.add(peer);
    events.emit({ type: 'introduced', words: `${petname} (${name}) was introduced by ${from.petname}: it is paired with this device now`, peer: petname, by: from.petname });
    void this.telling.publish();
    this.#parts.welcome(peer);
  }

  async #drop(peer: Peer, words: string, by?: string): Promise<void> {
    const { peers, forget, events } = this.#parts;
    const fault = new Fault('not-paired', words);
    // A full disk keeps nobody paired: the book knows better at every link.
    const removed = await Promise.allSettled([peers.remove(peer.device)]);
    await forget(peer, fault);
    events.emit({ type: 'unpaired', words, peer: peer.petname, ...(by === undefined ? {} : { by }) });
    for (const each of removed) if (each.status === 'rejected') throw each.reason;
    const orphans = peers.list().filter(({ via }) => via === peer.device);
    for (const orphan of orphans) events.emit({ type: 'introducer-unpaired', words: orphanNote(orphan), peer: orphan.petname });
  }

  async #unpairedBy({ by, at }: { readonly by: DeviceId; readonly at: number }): Promise<readonly string[]> {
    const { peers, book, events } = this.#parts;
    const byName = peers.byDevice(by)?.petname ?? 'another device';
    await book.setUnpaired({ by, byName, at });
    events.emit({ type: 'unpaired-here', words: unpairedNote({ by, byName, at }), by: byName });
    await this.#bowOut();
    return [];
  }

  /** The other devices let this one in no more: nothing is asked of them, and nothing sent. */
  async #bowOut(): Promise<void> {
    const { unpaired } = this.#parts.book;
    const words = unpaired === undefined ? 'this device was unpaired' : describeUnpaired(unpaired);
    for (const peer of this.telling.own()) await this.#drop(peer, words);
  }

  #facts(account: BareJid): Parameters<typeof judgeList>[1] {
    const { book, peers, identity, clock } = this.#parts;
    const { connection } = this.telling;
    return {
      me: identity().device,
      account: connection === undefined ? account : bareOf(connection.jid),
      paired: (device) => peers.byDevice(device),
      revoked: new Map(book.revoked.map((each) => [each.device, each])),
      seen: book.seen,
      now: clock.now(),
    };
  }

  #whyGone(name: string): string | undefined {
    const { book } = this.#parts;
    if (book.unpaired !== undefined) return describeUnpaired(book.unpaired);
    const held = book.revoked.findLast((each) => each.name !== undefined && foldPetname(each.name) === foldPetname(name));
    return held === undefined ? undefined : describeRevoked(name, held);
  }
}

function cardOf(peer: Peer): DeviceCard {
  const { device, name, spki, recipient, jid, version } = peer;
  const address: FullJid = requireAddress(peer);
  return { device, name, spki, recipient, jid, address, version: version ?? 1 };
}

