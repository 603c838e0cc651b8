// Who is there: hello and bye by IQ, the digest on contact, and what a peer's answer means for each repository (docs/PROTOCOL.md,
// "Addresses"; docs/ARCHITECTURE.md). Rule: an address is only a hint; what counts is the link that the pin let through.

import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import { bareOf, parseFullJid } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import { isGranted, parseDeviceId } from '../lib/names.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import { grantOf } from '../home/repos.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import { requestJson } from '../link/services.ts';
import { PROTOCOL_VERSION, formatDigest, parseDigest } from '../sync/digest-format.ts';
import type { Digest } from '../sync/digest-format.ts';
import type { Connection } from '../xmpp/connection.ts';
import { attrOf, xml } from '../xmpp/element.ts';
import { NS_AGENT } from '../xmpp/namespaces.ts';
import { StanzaFault } from '../xmpp/stanza-fault.ts';
import { newerProtocol } from './answer.ts';
import type { Answers } from './answer.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';
import { Retries } from './retries.ts';

export interface ContactParts {
  readonly me: DeviceId;
  readonly peers: Peers;
  readonly links: Links;
  readonly answers: Answers;
  readonly loops: { readonly all: () => readonly RepoLoop[]; readonly byId: (id: RepoId) => RepoLoop | undefined };
  readonly events: Events;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly chance: () => number;
  /** Looks a peer's address record up afresh. */
  readonly findAddress: (peer: DeviceId) => Promise<FullJid | undefined>;
  /** A peer said where it is: what waits for a way to it may try again. */
  readonly onThere: (device: DeviceId) => void;
  /** A digest came in; what it says of repositories that are not shared here too is for others to see. */
  readonly onDigest: (peer: Peer, digest: Digest) => void;
}

const HELLO_DEADLINE_MS = 5_000;
const DIGEST_DEADLINE_MS = 30_000;
/** "Last seen" is told in minutes. */
const SEEN_EVERY_MS = 10_000;
/** Where nothing happens, maps are compared this often all the same. */
const DIGEST_EVERY_MS = 30 * 60_000;

/** Keeps contact with all peers while signed in. */
export class Contacts {
  readonly #parts: ContactParts;
  readonly #online = new Set<DeviceId>();
  readonly #running = new Map<DeviceId, Promise<void>>();
  readonly #awaited = new Map<DeviceId, () => void>();
  readonly #retries: Retries;
  #connection: Connection | undefined;
  #timer: Timer | undefined;

  constructor(parts: ContactParts) {
    this.#parts = parts;
    this.#retries = new Retries({ ...parts, contact: (device) => void this.contact(device) });
  }

  isOnline(peer: DeviceId): boolean {
    return this.#online.has(peer) && (this.#connection !== undefined || this.#parts.links.isOnItsOwn(peer));
  }

  /** Signed in: answers hellos, and says hello to everybody. */
  start(connection: Connection): void {
    this.#connection = connection;
    connection.handleIq(NS_AGENT, 'hello', async (iq) => {
      const peer = this.#hinted(iq.from, attrOf(iq.payload, 'device'));
      if (peer === undefined) throw new StanzaFault('cancel', 'item-not-found');
      // The one that says hello compares digests next, so this side only notes where it is. The answer waits for that: hellos without end must not.
      await this.#noteAddress(peer, parseFullJid(iq.from)).catch(() => undefined);
      return xml('hello', { xmlns: NS_AGENT, device: this.#parts.me });
    });
    connection.handleIq(NS_AGENT, 'bye', (iq) => {
      const peer = this.#hinted(iq.from, attrOf(iq.payload, 'device'));
      if (peer !== undefined && peer.address === iq.from) this.#leave(peer);
      return Promise.resolve(undefined);
    });
    this.helloAll();
    this.#repeat();
  }

  /** Says hello to everybody, and compares with whoever answers. */
  helloAll(): void {
    for (const peer of this.#parts.peers.list()) void this.hello(peer);
  }

  /** Signed out, or cut off: nobody can be reached any more, but those whose link needs no server. */
  stop(): void {
    this.#connection = undefined;
    this.#timer?.cancel();
    for (const peer of [...this.#online].filter((each) => !this.#parts.links.isOnItsOwn(each))) {
      this.#online.delete(peer);
      this.#tellLost(peer);
    }
  }

  /** Tells everybody who is there that this device goes. */
  async bye(): Promise<void> {
    const there = this.#parts.peers.list().filter(({ device }) => this.#online.has(device));
    await Promise.allSettled(there.map((peer) => this.#say('bye', peer.address)));
  }

  /** Says hello at the last known address, else at the one looked up; contact follows when it answers. */
  async hello(peer: Peer): Promise<void> {
    try {
      await this.#say('hello', peer.address);
    } catch {
      const address = await this.#parts.findAddress(peer.device).catch(() => undefined);
      if (address === undefined || address === peer.address) return;
      await this.#parts.peers.update(peer.device, { address }).catch(() => undefined);
      try {
        await this.#say('hello', address);
      } catch {
        return;
      }
    }
    await this.contact(peer.device);
  }

  /** Compares digests with a peer; several who ask at once share one comparison. */
  contact(device: DeviceId): Promise<void> {
    const running = this.#running.get(device) ?? this.#compare(device).finally(() => this.#running.delete(device));
    this.#running.set(device, running);
    return running;
  }

  /** Compares with everybody: whoever was lost is asked whether it is there. */
  contactAll(): void {
    for (const peer of this.#parts.peers.list()) void (this.isOnline(peer.device) ? this.contact(peer.device) : this.hello(peer));
  }

  /** Resolves when the peer has told its digest, or after `ms`. */
  async whenOnline(device: DeviceId, ms: number): Promise<void> {
    if (this.isOnline(device)) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimer(ms, resolve);
      this.#awaited.set(device, () => {
        timer.cancel();
        resolve();
      });
    });
    this.#awaited.delete(device);
  }

  /** Compares again after a while: a link, or an offer on it, was lost, and whether the peer is still there has to be found out. */
  retry(device: DeviceId): void {
    this.#retries.plan(device);
  }

  /** A peer's digest, from whichever side it came: it is there, and this is what it holds. */
  heard(peer: Peer, digest: Digest): void {
    this.#online.add(peer.device);
    this.#awaited.get(peer.device)?.();
    this.#noteSeen(peer, digest.version);
    this.#parts.onDigest(peer, digest);
    for (const { repo, maps } of digest.repos) {
      const loop = this.#parts.loops.byId(repo);
      if (loop === undefined || !isGranted(grantOf(loop.context.shared(), peer), 'read')) continue;
      void loop.tell({ type: 'contact', peer: peer.device, maps });
    }
  }

  async #compare(device: DeviceId): Promise<void> {
    const { peers, links, answers, clock, events } = this.#parts;
    const peer = peers.byDevice(device);
    if (peer === undefined || this.#connection === undefined) return;
    try {
      const body = formatDigest(answers.digestFor(peer));
      const options = { clock, deadlineMs: DIGEST_DEADLINE_MS };
      const answer = await links.ask(device, (session) => requestJson(session, { method: 'POST', path: '/digest', body }, options));
      const digest = parseDigest(answer);
      if (digest.version > PROTOCOL_VERSION) throw newerProtocol(peer, digest.version);
      this.heard(peer, digest);
    } catch (error) {
      const fault = asFault(error, `comparing with ${peer.petname}`);
      events.emit({ type: 'contact-failed', words: fault.message, peer: peer.petname, code: fault.code, remedy: fault.remedy });
      this.#lost(peer);
    }
  }

  /** It said that it goes, so its end of any pipe goes too: nothing waits for that to come back. */
  #leave(peer: Peer): void {
    this.#lost(peer);
    this.#parts.links.drop(peer.device, new Fault('peer-offline', 'it said goodbye'));
  }

  #lost(peer: Peer): void {
    if (!this.#online.delete(peer.device)) return;
    this.#parts.events.emit({ type: 'offline', words: `${peer.petname} is offline`, peer: peer.petname });
    this.#tellLost(peer.device);
  }

  /** The link to a peer ended, or cannot be carried on: its state is known again at the next contact. */
  linkLost(device: DeviceId, fault: Fault): void {
    const peer = this.#parts.peers.byDevice(device);
    if (peer !== undefined) this.#lost(peer);
    // One that cannot be found says hello when it is back; another may have been there all the time, with a link of its own.
    if (fault.code === 'timeout') this.retry(device);
  }

  #tellLost(peer: DeviceId): void {
    for (const loop of this.#parts.loops.all()) void loop.tell({ type: 'lost', peer });
  }

  async #say(word: 'hello' | 'bye', to: FullJid | undefined): Promise<void> {
    if (to === undefined || this.#connection === undefined) throw new StanzaFault('cancel', 'item-not-found');
    const payload = xml(word, { xmlns: NS_AGENT, device: this.#parts.me });
    await this.#connection.iq('set', to, payload, { timeoutMs: HELLO_DEADLINE_MS });
  }

  /** Written to the disk, so not at every digest of a peer that sends many. */
  #noteSeen({ device }: Peer, version: number): void {
    const { peers, clock } = this.#parts;
    const [known, lastSeen] = [peers.byDevice(device), clock.now()];
    if (known === undefined || (known.version === version && Math.abs(lastSeen - (known.lastSeen ?? 0)) < SEEN_EVERY_MS)) return;
    peers.update(device, { lastSeen, version }).catch(() => undefined);
  }

  async #noteAddress(peer: Peer, address: FullJid): Promise<void> {
    if (peer.address !== address) await this.#parts.peers.update(peer.device, { address });
    this.#parts.onThere(peer.device);
  }

  #hinted(from: string, device: string | undefined): Peer | undefined {
    if (!/^[0-9a-f]{32}$/.test(device ?? '')) throw new StanzaFault('modify', 'bad-request');
    const peer = this.#parts.peers.byDevice(parseDeviceId(device ?? ''));
    return peer !== undefined && bareOf(parseFullJid(from)) === peer.jid ? peer : undefined;
  }

  #repeat(): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.setTimer(DIGEST_EVERY_MS, () => {
      this.contactAll();
      this.#repeat();
    });
  }
}
