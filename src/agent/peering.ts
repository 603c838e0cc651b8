// Everything between this device and its peers: links both ways, contact, shared repositories, and the stretch of time that is signed
// in (docs/ARCHITECTURE.md). Rule: joins the parts and passes on what happens; each decision lies with the part it is named after.

import type { Clock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import type { StartGit } from '../git/run.ts';
import type { Home } from '../home/paths.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Repos } from '../home/repos.ts';
import { Acceptor } from '../link/accept.ts';
import { dialLink } from '../link/dial.ts';
import type { DialledLink } from '../link/dial.ts';
import { Links } from '../link/links.ts';
import { parseLinkId } from '../pipe/frame-format.ts';
import { ReplayBudget } from '../pipe/replay-budget.ts';
import type { Connection } from '../xmpp/connection.ts';
import { Answers } from './answer.ts';
import { Contacts } from './contacts.ts';
import type { Events } from './events.ts';
import type { Showing } from './pair-show.ts';
import { Remotes } from './remotes.ts';
import { RepoSet } from './repo-set.ts';
import type { ServeSettings } from './serve-git.ts';
import { Session } from './session.ts';
import { Twins } from './twins.ts';

export interface PeeringParts {
  readonly home: Home;
  readonly identity: Identity;
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly peers: Peers;
  readonly repos: Repos;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: (size: number) => Uint8Array;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly serve: ServeSettings;
  readonly showing: Showing;
}

/** How long the one who showed a code waits for the other to come in. */
const FIRST_CONTACT_MS = 4_000;

/** Links, contacts and repositories, whether signed in or not. */
export class Peering {
  readonly links: Links;
  readonly contacts: Contacts;
  readonly repoSet: RepoSet;
  readonly twins: Twins;
  readonly remotes: Remotes;
  readonly #parts: PeeringParts;
  readonly #acceptor: Acceptor;
  readonly #wayFree = new Set<() => void>();
  readonly #budget = new ReplayBudget();
  #identity: Identity;
  #session: Session | undefined;
  /** Resolves what is to happen once signed in, such as answering for invites again. */
  onUp: (connection: Connection) => Promise<void> = () => Promise.resolve();

  constructor(parts: PeeringParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
    const { peers, events, clock, log, identity } = parts;
    const me = identity.device;
    this.links = this.#makeLinks();
    const announce = (loop: Parameters<Session['announce']>[0], devices: readonly DeviceId[]): void => void this.#session?.announce(loop, devices);
    this.repoSet = new RepoSet({ ...parts, stateDir: parts.home.state, me: identity, links: this.links, random: parts.chance, announce, onLost: (peer) => this.contacts.retry(peer) });
    const loops = (): ReturnType<RepoSet['all']> => this.repoSet.all();
    this.twins = new Twins({ links: this.links, clock, events, loops });
    this.remotes = new Remotes(this.repoSet.view.byId, events);
    const answers = new Answers({
      me,
      peers,
      loops: this.repoSet.view,
      serve: parts.serve,
      onContact: (peer, digest) => this.contacts.heard(peer, digest),
      events,
      clock,
    });
    const findAddress = (device: DeviceId): Promise<FullJid | undefined> => this.#lookUp(device);
    const onDigest = (peer: Peer, digest: Parameters<Twins['heard']>[1]): void => {
      void this.twins.heard(peer, digest);
      void this.remotes.heard(peer, digest);
    };
    this.contacts = new Contacts({ me, peers, links: this.links, answers, loops, events, clock, chance: parts.chance, findAddress, onDigest, onThere: () => this.#retryWays() });
    this.#acceptor = new Acceptor({
      own: identity,
      findPeer: (spki, account) => this.#pinned(spki, account),
      handlers: answers,
      clock,
      log: log.scope('link'),
      budget: this.#budget,
      onStranger: ({ peer }) => events.emit({ type: 'stranger', words: `${peer} asked for a link and is not paired`, by: peer }),
    });
  }

  get identity(): Identity {
    return this.#identity;
  }

  set identity(identity: Identity) {
    this.#identity = identity;
  }

  /** A connection came up. */
  async up(connection: Connection): Promise<void> {
    const { peers, showing, events, clock, log, random } = this.#parts;
    const loops = (): ReturnType<RepoSet['all']> => this.repoSet.all();
    const onCarrier = this.#acceptor.accept.bind(this.#acceptor);
    const session = new Session(connection, { identity: this.#identity, peers, contacts: this.contacts, showing, loops, onCarrier, events, clock, log, random });
    this.#session = session;
    events.emit({ type: 'online', words: `signed in as ${connection.jid}` });
    try {
      await session.start();
      this.#retryWays();
      await this.onUp(connection);
    } catch (error) {
      log.warn('after signing in', { why: asFault(error, 'after signing in').message });
    }
  }

  /** The connection ended. */
  down(fault: Fault): void {
    this.#session = undefined;
    this.contacts.stop();
    this.#parts.events.emit({ type: 'not-online', words: fault.message, code: fault.code });
  }

  /** A device was paired: told to the repositories, and to the server that it may look this device up. */
  async paired(peer: Peer, role: 'shower' | 'typer'): Promise<void> {
    this.repoSet.grantAll();
    if (peer.kind === 'other') await this.#session?.publish();
    // The shower knows first: until the typer knows too, it would take a link from here for a stranger's.
    if (role === 'typer') await this.contacts.contact(peer.device);
    else await this.contacts.whenOnline(peer.device, FIRST_CONTACT_MS);
  }

  /** Ends everything with a peer at once. */
  async forget(peer: Peer): Promise<void> {
    this.repoSet.forget(peer.device);
    await this.#parts.serve.quota.forget(peer.device);
    this.#acceptor.drop(peer.device);
    this.links.drop(peer.device, new Fault('not-paired', 'it was unpaired'));
    if (peer.kind === 'other') await this.#session?.publish();
  }

  async stop(): Promise<void> {
    this.repoSet.stop();
    await this.contacts.bye();
    this.contacts.stop();
    await this.links.stop();
    this.#acceptor.stop();
    await this.#session?.stop();
    this.#session = undefined;
  }

  #makeLinks(): Links {
    const { peers, clock, log, events } = this.#parts;
    return new Links({
      dial: (device, address) => this.#dial(device, address),
      findAddress: (device, isFresh) => (isFresh ? this.#lookUp(device) : Promise.resolve(peers.byDevice(device)?.address)),
      nameOf: (device) => peers.byDevice(device)?.petname ?? 'a peer',
      lastSeen: (device) => formatSeen(peers.byDevice(device)?.lastSeen, clock.now()),
      onUp: (device) => events.emit({ type: 'link-up', words: 'a link is up', peer: peers.byDevice(device)?.petname ?? '' }),
      onDown: (device, fault) => this.contacts.linkLost(device, fault),
      clock,
      log: log.scope('links'),
    });
  }

  #dial(device: DeviceId, address: FullJid): Promise<DialledLink> {
    const { peers, clock, log, random, chance, events } = this.#parts;
    const peer = peers.byDevice(device);
    if (peer === undefined) throw new Fault('no-such-peer', 'that device is not paired');
    return dialLink({
      own: this.#identity,
      pin: peer.spki,
      linkId: parseLinkId(Buffer.from(random(16)).toString('hex')),
      address,
      currentAddress: () => peers.byDevice(device)?.address ?? address,
      openCarrier: (to) => this.#openCarrier(to),
      onWayFree: (retry) => {
        this.#wayFree.add(retry);
        return () => this.#wayFree.delete(retry);
      },
      clock,
      random: chance,
      log: log.scope('link'),
      budget: this.#budget,
      onResumed: ({ sent, received }) => {
        events.emit({ type: 'resumed', words: `resumed at byte ${received} coming in, ${sent} going out`, peer: peer.petname, bytes: received });
        if (!this.contacts.isOnline(device)) void this.contacts.contact(device);
      },
      onUnreachable: (fault) => this.contacts.linkLost(device, fault),
    });
  }

  #retryWays(): void {
    for (const retry of this.#wayFree) retry();
  }

  #openCarrier(to: FullJid): ReturnType<Session['inBand']['open']> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(new Fault('not-connected', 'this device is not signed in', { remedy: 'git xmpp status tells why' }));
    return session.inBand.open(to);
  }

  async #lookUp(device: DeviceId): Promise<FullJid | undefined> {
    const peer = this.#parts.peers.byDevice(device);
    if (peer === undefined || this.#session === undefined) return undefined;
    const address = await this.#session.findAddress(peer.jid, device).catch(() => undefined);
    if (address !== undefined && address !== peer.address) await this.#parts.peers.update(device, { address });
    return address;
  }

  #pinned(spki: string, account: BareJid): DeviceId | undefined {
    const peer = this.#parts.peers.bySpki(spki);
    return peer !== undefined && peer.jid === account && peer.device !== this.#identity.device ? peer.device : undefined;
  }
}

function formatSeen(at: number | undefined, now: number): string {
  if (at === undefined) return '';
  const then = new Date(at);
  const time = then.toTimeString().slice(0, 5);
  return `last seen ${now - at < 86_400_000 ? time : `${then.toISOString().slice(0, 10)} ${time}`}`;
}
