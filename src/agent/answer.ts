// What this device answers on a link: digests, maps, offers and git services (docs/PROTOCOL.md). Rule: a repository that the asker may
// not see does not exist for it, and an offer writes in the corner of the device it names and nowhere else.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { isGranted } from '../lib/names.ts';
import type { DeviceId, Grant, Oid, RepoId } from '../lib/names.ts';
import { grantOf } from '../home/repos.ts';
import type { Peer, Peers } from '../home/peers.ts';
import { areReachable } from '../git/refs.ts';
import type { GitService, OfferHeaders, PackHeaders, SliceHeaders } from '../link/http-format.ts';
import type { LinkHandlers } from '../link/serve.ts';
import type { ServedProcess } from '../link/carry.ts';
import { PROTOCOL_VERSION, formatDigest, parseDigest } from '../sync/digest-format.ts';
import type { Digest } from '../sync/digest-format.ts';
import { applyChanges } from '../sync/map-format.ts';
import { formatLacking, parseRecordedMap } from '../sync/record-format.ts';
import { Crossings } from './crossings.ts';
import { spacesFor, tipsFor } from './bases.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';
import { formatShownRepo } from './peer-repos.ts';
import { openServiceProcess } from './serve-git.ts';
import type { ServeSettings } from './serve-git.ts';
import type { SliceServer } from './serve-slices.ts';
import type { Exchanges } from './exchanges.ts';
import type { Serving } from './serving.ts';
import { grantHolds } from './grant-holds.ts';
import { mapsFor } from './shown-branches.ts';
import type { Standing } from './standing.ts';
import { takeOffer } from './take-offer.ts';
import type { Begun } from './take-offer.ts';

export interface AnswerParts {
  readonly me: DeviceId;
  readonly peers: Peers;
  readonly loops: {
    readonly all: () => readonly RepoLoop[];
    readonly byId: (id: RepoId) => RepoLoop | undefined;
    /** Those that do not run. */
    readonly standing: Pick<Standing, 'why' | 'show'>;
  };
  readonly exchanges: Exchanges;
  readonly serve: ServeSettings;
  readonly slices: SliceServer;
  readonly serving: Serving;
  /** A peer told its digest on its own link. */
  readonly onContact: (peer: Peer, digest: Digest) => void;
  /** A peer says where it is about to offer a connection of its own. */
  readonly onCarriers: (peer: Peer, body: unknown) => Promise<void>;
  /** A peer says which devices of its account are unpaired, and which are new. */
  readonly onDevices: (peer: Peer, body: unknown) => Promise<unknown>;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
}

/** Handlers for `serveLink`; each looks at the grants anew, so that a change counts at once. */
export class Answers implements LinkHandlers<DeviceId> {
  readonly #parts: AnswerParts;
  readonly #crossings: Crossings;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#crossings = new Crossings(parts.clock);
  }

  digest(who: DeviceId, body: unknown): Promise<unknown> {
    const peer = this.#peer(who);
    const digest = parseDigest(body);
    if (digest.version > PROTOCOL_VERSION) throw this.#tooNew(peer, digest.version);
    this.#parts.onContact(peer, digest);
    return Promise.resolve(formatDigest(this.digestFor(peer)));
  }

  /** What is told to `peer`: the repositories it may read, and the maps held of them. */
  digestFor(peer: Peer): Digest {
    const repos = this.#visible(peer).map((loop) => {
      const { id, name } = loop.context.shared();
      return { repo: id, name, maps: mapsFor(loop, peer) };
    });
    return { version: PROTOCOL_VERSION, repos };
  }

  carriers(who: DeviceId, body: unknown): Promise<unknown> {
    return this.#parts.onCarriers(this.#peer(who), body);
  }

  devices(who: DeviceId, body: unknown): Promise<unknown> {
    return this.#parts.onDevices(this.#peer(who), body);
  }

  async repos(who: DeviceId): Promise<unknown> {
    const peer = this.#peer(who);
    // Looked at together: one that opens meanwhile would else be in neither.
    const [repos, standing] = await Promise.all([Promise.all(this.#visible(peer).map(({ context }) => formatShownRepo(context, peer))), this.#parts.loops.standing.show(peer)]);
    return { repos: [...repos, ...standing] };
  }

  async map(who: DeviceId, repo: RepoId, body: unknown): Promise<unknown> {
    const loop = this.#find(who, { repo, needed: 'offer' });
    const map = parseRecordedMap(body);
    const spki = this.#spkiOf(map.device);
    const { context } = loop;
    const held = context.maps.signed(map.device)?.counter ?? 0;
    if (map.counter <= held) return this.#isHeld(loop, map, who);
    const news = [...map.changes.values()].filter((oid): oid is Oid => oid !== undefined);
    const isHere = (map.base === 0 || map.base === held) && (await this.#holdsAll(loop, { map: map.device, sender: this.#peer(who) }, news));
    if (!isHere) return formatLacking({ tips: await tipsFor(loop.context, this.#peer(who), map) });
    const refs = applyChanges(map.base === 0 ? new Map() : context.maps.refsOf(map.device), map.changes);
    await this.#parts.exchanges.during(context.shared(), this.#peer(who).petname, async () => {
      // The grant may have been taken back meanwhile.
      this.#find(who, { repo, needed: 'offer' });
      if (!(await context.maps.acceptRecorded(map.device, map, { refs, spki }))) throw new InputFault('map', 'its signature does not fit what it says');
    });
    this.#parts.slices.taken(context, who, map.device);
    void loop.tell({ type: 'accepted', device: map.device, counter: map.counter, via: who });
    return undefined;
  }

  async offer(who: DeviceId, repo: RepoId, offer: OfferHeaders): Promise<ServedProcess> {
    const begun = this.#begin(who, { repo, needed: 'offer' });
    const spki = this.#spkiOf(offer.device);
    const crossing = await this.#crossings.begin(repo, offer.device);
    try {
      const process = await takeOffer(this.#parts, begun, { offer, spki, crossing });
      return this.#served(begun.loop, begun.peer, { process, mayGoOn: begun.mayGoOn });
    } catch (error) {
      crossing.end();
      throw error;
    }
  }

  async partial(who: DeviceId, repo: RepoId, slice: SliceHeaders): Promise<ServedProcess> {
    const { loop, peer, mayGoOn } = this.#begin(who, { repo, needed: 'offer' });
    const process = await this.#parts.slices.openSlice(loop.context, slice, { peer, settings: this.#parts.serve });
    return this.#served(loop, peer, { process, mayGoOn });
  }

  packState(who: DeviceId, repo: RepoId, sha256: string): Promise<unknown> {
    const { context } = this.#find(who, { repo, needed: 'offer' });
    return this.#parts.slices.packState(context, this.#peer(who), sha256);
  }

  async pack(who: DeviceId, repo: RepoId, pack: PackHeaders & { readonly sha256: string }): Promise<ServedProcess> {
    const { loop, peer, mayGoOn } = this.#begin(who, { repo, needed: 'offer' });
    const process = await this.#parts.slices.openPack(loop.context, pack, { peer, settings: this.#parts.serve });
    return this.#served(loop, peer, { process, mayGoOn });
  }

  async service(who: DeviceId, repo: RepoId, service: GitService, gitProtocol: string | undefined): Promise<ServedProcess> {
    const needed = service === 'git-upload-pack' ? 'read' : 'write';
    const { loop, peer, mayGoOn } = this.#begin(who, { repo, needed, hasBranches: true });
    const process = await openServiceProcess(loop.context, { peer, service, gitProtocol }, this.#parts.serve);
    if (service === 'git-receive-pack') void process.exit.then(() => loop.hint());
    return this.#served(loop, peer, { process, mayGoOn });
  }

  /** It goes on only while `mayGoOn`, and is told as an exchange. */
  #served({ context }: RepoLoop, { petname }: Peer, { process, mayGoOn }: { readonly process: ServedProcess; readonly mayGoOn: () => boolean }): ServedProcess {
    const { serving, exchanges } = this.#parts;
    return serving.add(exchanges.served(context.shared(), petname, process), mayGoOn);
  }

  /** Who asks, for what, and whether the grant that it begins with still holds: to be taken before anything is waited for. */
  #begin(who: DeviceId, asked: { readonly repo: RepoId; readonly needed: Exclude<Grant, 'none'>; readonly hasBranches?: boolean }): Begun {
    const loop = this.#find(who, asked);
    const { peers, loops } = this.#parts;
    return { loop, peer: this.#peer(who), mayGoOn: grantHolds({ peers, isShared: (id) => loops.byId(id) !== undefined, shared: loop.context.shared, who }, asked) };
  }

  /** Nothing new, but the sender has it too: it need not be offered back. */
  #isHeld(loop: RepoLoop, { device, counter }: { readonly device: DeviceId; readonly counter: number }, via: DeviceId): undefined {
    void loop.tell({ type: 'accepted', device, counter, via });
  }

  /** By refs that the sender may know of: branches, maps that it is told of, the map's device's own, and the slices that it sent itself. */
  async #holdsAll({ context }: RepoLoop, of: { readonly map: DeviceId; readonly sender: Peer }, oids: readonly Oid[]): Promise<boolean> {
    const from = ['refs/heads', 'refs/tags', `refs/xmpp/${of.map}`, ...spacesFor(context, of.sender)];
    return areReachable(context.runGit, context.repository, oids, { from });
  }

  #visible(peer: Peer): RepoLoop[] {
    return this.#parts.loops.all().filter((loop) => isGranted(grantOf(loop.context.shared(), peer), 'read'));
  }

  #peer(who: DeviceId): Peer {
    const peer = this.#parts.peers.byDevice(who);
    if (peer === undefined) throw new Fault('not-paired', 'this device is not paired here any more');
    return peer;
  }

  #find(who: DeviceId, { repo, needed }: { readonly repo: RepoId; readonly needed: Exclude<Grant, 'none'> }): RepoLoop {
    const loop = this.#parts.loops.byId(repo);
    const grant = loop === undefined ? 'none' : grantOf(loop.context.shared(), this.#peer(who));
    const standstill = loop === undefined ? this.#parts.loops.standing.why(this.#peer(who), repo) : undefined;
    if (standstill !== undefined) throw standstill;
    if (loop === undefined || !isGranted(grant, 'read')) throw new Fault('no-such-repo', 'no such repository');
    if (!isGranted(grant, needed)) {
      const remedy = 'ask its owner to run "git xmpp grant" there';
      throw new Fault('not-granted', `this device may ${grant} here, and that needs ${needed}; ${remedy}`);
    }
    return loop;
  }

  /** Tells the person here; what is returned tells the one at the other end. */
  #tooNew(peer: Peer, version: number): Fault {
    const { code, message } = newerProtocol(peer, version);
    this.#parts.events.emit({ type: 'newer-version', words: message, peer: peer.petname, code });
    return new Fault(code, `that device speaks only protocol version ${PROTOCOL_VERSION}, this one ${version}: update git-xmpp there`);
  }

  #spkiOf(device: DeviceId): string {
    const peer = device === this.#parts.me ? undefined : this.#parts.peers.byDevice(device);
    if (peer === undefined) throw new Fault('no-such-peer', 'the map of a device that is not paired here is not used');
    return peer.spki;
  }
}

/** A peer that speaks a version from the future is told apart from one that is broken. */
export function newerProtocol({ petname }: Peer, version: number): Fault {
  return new Fault('newer-protocol', `${petname} speaks protocol version ${version}, this device only ${PROTOCOL_VERSION}: update git-xmpp here`);
}
