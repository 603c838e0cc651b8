// Everything between this device and its peers: links both ways, contact, shared repositories, and the stretch of time that is signed
// in (docs/ARCHITECTURE.md). Rule: joins the parts and passes on what happens; each decision lies with the part it is named after.

import { asFault, Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer } from '../home/peers.ts';
import { SmallServers } from '../carriers/block-size-machine.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { Refused } from '../carriers/refused.ts';
import { Acceptor } from '../link/accept.ts';
import { GateGroup } from '../link/bulk-gate.ts';
import type { LinkStats } from '../link/link-stats.ts';
import type { Links } from '../link/links.ts';
import { ReplayBudget } from '../pipe/replay-budget.ts';
import type { Connection } from '../xmpp/connection.ts';
import { Announcements } from './announcements.ts';
import { Answers } from './answer.ts';
import { Contacts } from './contacts.ts';
import { Devices } from './devices.ts';
import { DevicesReading } from './devices-reading.ts';
import { makeLinks } from './dialling.ts';
import type { RepoLoop } from './loop.ts';
import { Offering } from './offering.ts';
import type { PeeringParts } from './peering-parts.ts';
import { findPinned } from './pinned.ts';
import { Reachable } from './reachable.ts';
import { Remotes } from './remotes.ts';
import { RepoSet } from './repo-set.ts';
import { SliceServer } from './serve-slices.ts';
import { Serving } from './serving.ts';
import type { StatusAnswer } from './answers.ts';
import { Session } from './session.ts';
import { isToldMaps } from './shown-branches.ts';
import { Strangers } from './strangers.ts';
import { Twins } from './twins.ts';
import { Ways } from './ways.ts';

/** How long the one who showed a code waits for the other to come in. */
const FIRST_CONTACT_MS = 4_000;
/** And how long a device that was introduced waits for the other to hear of it. */
const WELCOME_MS = 1_000;

/** Links, contacts and repositories, whether signed in or not. */
export class Peering {
  readonly links: Links;
  readonly contacts: Contacts;
  readonly repoSet: RepoSet;
  readonly twins: Twins;
  readonly remotes: Remotes;
  readonly reachable: Reachable;
  readonly slices: SliceServer;
  readonly devices: Devices;
  readonly #reading: DevicesReading;
  readonly #serving = new Serving();
  readonly #parts: PeeringParts;
  readonly #acceptor: Acceptor;
  readonly #ways: Ways;
  readonly #budget = new ReplayBudget();
  readonly #gates: GateGroup;
  readonly #smallServers = new SmallServers();
  readonly #refused: { readonly inBand: Refused; readonly socks5: Refused };
  readonly #loops = (): readonly RepoLoop[] => this.repoSet.all();
  readonly #announcements: Announcements;
  /** This device, by the name that it has now. */
  identity: Identity;
  /** Resolves what is to happen once signed in, such as answering for invites again. */
  onUp: (connection: Connection) => Promise<void> = () => Promise.resolve();

  constructor(parts: PeeringParts) {
    this.#parts = parts;
    this.identity = parts.identity;
    this.#gates = new GateGroup(parts.clock);
    const { peers, events, clock, log, identity } = parts;
    this.#refused = { inBand: new Refused(log.scope('in-band')), socks5: new Refused(log.scope('socks5')) };
    const me = identity.device;
    this.#ways = new Ways(parts);
    const around = { budget: this.#budget, gates: this.#gates, ways: this.#ways, contacts: (): Contacts => this.contacts, identity: (): Identity => this.identity };
    this.links = makeLinks({ ...parts, ...around });
    const announce = (loop: RepoLoop, devices: readonly DeviceId[]): void => void this.#ways.session?.announce(loop, devices);
    const announceHub = (loop: RepoLoop, hash: string): void => void this.#ways.session?.announceHub(loop, hash);
    const forRepos = { announce: announceHub, mounts: parts.mounts, deviceName: (): string => this.identity.name };
    const offering = new Offering(clock);
    this.repoSet = new RepoSet({ ...parts, offering, around: forRepos, stateDir: parts.home.state, me: identity, links: this.links, random: parts.chance, announce, onLost: (peer) => this.contacts.retry(peer), onBack: () => this.contacts.contactAll() });
    this.twins = new Twins({ links: this.links, clock, events, loops: this.#loops });
    this.remotes = new Remotes(this.repoSet.view.byId, events);
    this.reachable = new Reachable({ peers, isOnline: (device) => this.contacts.isOnline(device), events });
    this.slices = new SliceServer({ clock, events });
    const ofDevices = { ...parts, links: this.links, identity: (): Identity => this.identity, isOnline: (device: DeviceId): boolean => this.contacts.isOnline(device) };
    this.devices = new Devices({ ...ofDevices, log: log.scope('devices'), forget: (peer, why) => this.forget(peer, why), welcome: (peer) => this.#welcome(peer) });
    this.#reading = new DevicesReading({ ...ofDevices, log: log.scope('devices'), devices: this.devices });
    const answers = new Answers({
      me,
      peers,
      loops: this.repoSet.view,
      serve: parts.serve,
      slices: this.slices,
      serving: this.#serving,
      exchanges: parts.exchanges,
      onContact: (peer, digest) => this.contacts.heard(peer, digest),
      onCarriers: (peer, body) => this.#ways.expect(peer, body),
      onDevices: (peer, body) => this.#reading.answer(peer, body),
      events,
      clock,
    });
    const findAddress = (device: DeviceId): Promise<FullJid | undefined> => this.#ways.lookUp(device);
    const onDigest = (peer: Peer, digest: Parameters<Twins['heard']>[1]): void => {
      offering.heard(peer.device, digest);
      void this.twins.heard(peer, digest);
      // Its remote stands in the configuration before it is told to be there.
      void this.remotes.heard(peer, digest).finally(() => this.reachable.look());
      void this.devices.telling.exchange(peer);
    };
    this.contacts = new Contacts({ me, peers, links: this.links, answers, loops: this.repoSet.view, events, clock, chance: parts.chance, findAddress, onDigest, onThere: (device) => this.#ways.retry(device) });
    this.#announcements = new Announcements({ ...parts, loops: this.#loops, contact: (peer) => void this.contacts.contact(peer), log: log.scope('announcements') });
    const strangers = new Strangers(events, clock);
    this.#acceptor = new Acceptor({
      own: identity,
      findPeer: (spki, account) => findPinned({ me, peers, isRevoked: (device) => this.devices.isRevoked(device) }, spki, account),
      handlers: answers,
      clock,
      log: log.scope('link'),
      budget: this.#budget,
      gates: this.#gates,
      onCarrier: (device, change) => this.#ways.changed(device, change, 'listener'),
      giveUpMs: () => parts.settings.giveUpMs,
      onSuspect: () => void this.#ways.probe(),
      onStranger: ({ peer }) => strangers.knocked(peer),
    });
  }

  /** A connection came up. Nobody is let in before it is known who was unpaired meanwhile. */
  async up(connection: Connection): Promise<void> {
    await this.#reading.read(connection);
    if (!connection.isOpen) return;
    const { peers, showing, settings, events, clock, log, random } = this.#parts;
    const onCarrier = (carrier: Carrier): void => this.#acceptor.accept(this.#ways.limits.limit(carrier));
    const session = new Session(connection, { identity: this.identity, peers, contacts: this.contacts, showing, announcements: this.#announcements, onCarrier, smallServers: this.#smallServers, refused: this.#refused, settings, events, clock, log, random });
    this.#ways.session = session;
    events.emit({ type: 'online', words: `signed in as ${connection.jid}` });
    try {
      await session.start();
      void this.#reading.start();
      this.#ways.retry();
      this.repoSet.contactHubs();
      await this.onUp(connection);
    } catch (error) {
      log.warn('after signing in', { why: asFault(error, 'after signing in').message });
    }
  }

  /** The connection ended. */
  down(fault: Fault): void {
    this.#ways.lost(fault);
    this.devices.telling.connection = undefined;
    this.contacts.stop();
    this.#parts.events.emit({ type: 'not-online', words: fault.message, code: fault.code });
  }

  /** What was refused to peers and strangers since the agent started. */
  get refused(): StatusAnswer['refused'] {
    return { inBand: this.#refused.inBand.count, socks5: this.#refused.socks5.count, links: this.#acceptor.refusals };
  }

  /** What the links with a peer have carried: the one dialled from here first. */
  linkStats(device: DeviceId): readonly LinkStats[] {
    return [this.links.link(device)?.stats(), this.#acceptor.stats(device)].filter((stats) => stats !== undefined);
  }

  /** The machine slept, or is on another network: ways are tried at once, and everybody is compared with where the server still answers. */
  async lookAround(): Promise<void> {
    this.#ways.retry();
    this.repoSet.contactHubs();
    if (await this.#ways.probe()) this.contacts.helloAll();
  }

  /** A device was paired: told to the repositories, and to the server that it may look this device up. */
  async paired(peer: Peer, role: 'shower' | 'typer'): Promise<void> {
    this.repoSet.grantAll();
    void this.devices.telling.publish();
    if (peer.kind === 'other') await this.#ways.session?.publish();
    // The shower knows first: until the typer knows too, it would take a link from here for a stranger's.
    if (role === 'typer') await this.contacts.contact(peer.device);
    else await this.contacts.whenOnline(peer.device, FIRST_CONTACT_MS);
  }

  /** Ends everything with a peer at once. */
  async forget(peer: Peer, why: Fault): Promise<void> {
    this.#acceptor.drop(peer.device);
    this.links.drop(peer.device, why);
    this.repoSet.forget(peer.device);
    await this.#parts.serve.quota.forget(peer.device);
    if (peer.kind === 'other') void this.#ways.session?.publish();
  }

  /** What a peer may do with a repository has changed. */
  regrant(repo: RepoId): void {
    const loop = this.repoSet.byId(repo);
    const offered = this.#parts.peers.list().filter(({ device }) => loop?.engine.isOffering(device) === true);
    this.repoSet.grantAll();
    this.#serving.check();
    const cut = offered.filter((peer) => loop !== undefined && !isToldMaps(loop.context.shared(), peer));
    for (const { device } of cut) this.links.drop(device, new Fault('not-granted', 'what it may do with the repository was changed'));
  }

  /** An introduced device may not know this one yet: two that hear of each other at once meet a little later. */
  #welcome(peer: Peer): void {
    this.repoSet.grantAll();
    this.#parts.clock.setTimer(WELCOME_MS, () => void this.contacts.hello(peer));
  }

  stop(): Promise<void> {
    this.repoSet.stop();
    return this.rest();
  }

  /** Ends every link and what runs over the connection, until there is another one. */
  async rest(): Promise<void> {
    await this.contacts.bye();
    this.contacts.stop();
    await this.links.stop();
    this.#acceptor.stop();
    await this.#ways.session?.stop();
    this.#ways.session = undefined;
  }
}
