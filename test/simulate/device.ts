// A device of a simulation: the agent's loop around the real engine, without git, links and files. Rule: thin, and shaped like
// src/agent/loop.ts: what is decided is decided by the modules of src/sync.

import { Backoff } from '../../src/lib/backoff.ts';
import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import type { Engine, Fact, Intention } from '../../src/sync/engine.ts';
import type { Policy } from '../../src/sync/plan.ts';
import { considerSource } from './branches.ts';
import type { Source } from './branches.ts';
import { Contacts } from './contacts.ts';
import { Disk, LEFT_REF } from './disk.ts';
import type { HeldMap, Refs } from './disk.ts';
import type { HubSide } from './hubs.ts';
import type { Line } from './network.ts';
import type { World } from './world.ts';

/** What became of an offer. */
export type Answer = { readonly told: HeldMap | undefined } | 'unwanted';

export interface DeviceOptions {
  readonly id: DeviceId;
  readonly policy: Policy;
  /** Milliseconds that its clock is ahead. */
  readonly skew: number;
  /** Which of several ways its git has of writing a merge. */
  readonly git: number;
}

/** Ref updates are looked at after this many milliseconds of quiet. */
const SETTLE_MS = 2;

/** One device. */
export class SimDevice {
  readonly id: DeviceId;
  readonly world: World;
  readonly policy: Policy;
  readonly git: number;
  readonly disk = new Disk();
  /** Those it can talk to. */
  readonly lines = new Map<DeviceId, { readonly line: Line; readonly to: SimDevice }>();
  /** Devices whose maps it uses: those of an own account, or of another. */
  readonly pins = new Map<DeviceId, 'own' | 'other'>();
  readonly hubs: HubSide[] = [];
  life = 0;
  isRunning = false;
  /** Until then something is in the way of any move: a dirty work tree, a rebase under way. */
  busyUntil = 0;
  /** How many maps it published. */
  published = 0;
  /** What happened that must not. */
  readonly complaints: string[] = [];
  engine: Engine;
  contacts: Contacts;
  /** Branches as last looked at. */
  ours: Refs | undefined;
  /** Where each branch was seen last, or was set by the agent itself. */
  readonly seen = new Map<RefName, Oid>();
  readonly #waiting = new Set<string>();
  readonly #skew: number;
  readonly #retry = new Backoff({ baseMs: 500, capMs: 30_000 });
  #hint = 0;
  #again = 0;

  constructor(world: World, { id, policy, skew, git }: DeviceOptions) {
    this.world = world;
    this.id = id;
    this.policy = policy;
    this.git = git;
    this.#skew = skew;
    this.engine = new world.decisions.Engine(id, new Map());
    this.contacts = new Contacts(this);
  }

  /** Milliseconds since 1970 by its own clock. */
  get clock(): number {
    return Math.floor(this.world.now + this.#skew);
  }

  /** The agent starts with what is on the disk. */
  start(): void {
    const { Engine: Judge } = this.world.decisions;
    this.life += 1;
    this.isRunning = true;
    this.engine = new Judge(this.id, new Map([...this.disk.maps].map(([device, { counter }]) => [device, counter])));
    this.contacts = new Contacts(this);
    this.ours = undefined;
    this.#waiting.clear();
    this.seen.clear();
    for (const [ref, oid] of this.disk.maps.get(this.id)?.refs ?? []) this.seen.set(ref, oid);
    for (const peer of this.lines.keys()) this.tell({ type: 'granted', peer, isGranted: true });
    this.look();
    this.contacts.start();
    for (const hub of this.hubs) hub.start();
  }

  /** The agent is gone, and all that it had in memory. */
  crash(): void {
    this.isRunning = false;
    this.life += 1;
    for (const hub of this.hubs) hub.stop();
  }

  /** Lets something happen later in this life. */
  after(ms: number, run: () => void, isClock = false): void {
    const { life } = this;
    this.world.after(ms, () => void (this.life === life && run()), isClock);
  }

  /** Something may have moved in the repository. */
  hint(): void {
    const hint = (this.#hint += 1);
    this.after(SETTLE_MS + this.world.draw.between(0, 20), () => void (hint === this.#hint && this.look()));
  }

  /** Looks at the branches: publishes what moved, and tries again what waited. */
  look(): void {
    const { commits } = this.world;
    const before = this.ours;
    this.#carryOut(this.engine.receive({ type: 'moved' }));
    const isGrown = [...(this.ours ?? [])].every(([ref, oid]) => {
      const older = before?.get(ref);
      return older !== undefined && commits.isWithin(older, oid);
    });
    for (const device of this.disk.maps.keys()) if (device !== this.id && (!isGrown || this.#waiting.has(device))) this.#consider(device);
    for (const hub of this.hubs) hub.looked();
  }

  tell(fact: Fact): void {
    if (this.isRunning) this.#carryOut(this.engine.receive(fact));
  }

  /** A peer's digest: it is there, and this is what it holds. Returns one's own. */
  heard(peer: DeviceId, maps: ReadonlyMap<DeviceId, number>): ReadonlyMap<DeviceId, number> {
    const own = new Map(this.engine.maps);
    this.contacts.succeeded(peer);
    this.tell({ type: 'contact', peer, maps });
    return own;
  }

  /** A peer announced that its map moved. */
  announced(peer: DeviceId, counter: number): void {
    if (counter > (this.disk.maps.get(peer)?.counter ?? 0)) this.contacts.contact(peer);
  }

  /** A peer offers a map; the answer may tell ours. */
  takeOffer(via: DeviceId, device: DeviceId, map: HeldMap): Answer {
    if (!this.pins.has(device)) return 'unwanted';
    const isNew = map.counter > (this.disk.maps.get(device)?.counter ?? 0);
    if (!isNew) {
      this.world.counts.vain += 1;
      this.tell({ type: 'accepted', device, counter: map.counter, via });
      return { told: undefined };
    }
    this.disk.maps.set(device, map);
    this.tell({ type: 'accepted', device, counter: map.counter, via, isOpen: true });
    const told = this.#answerTo(via, map);
    if (told !== undefined) this.tell({ type: 'delivered', peer: via, device: this.id, counter: told.counter });
    this.tell({ type: 'answered', peer: via });
    return { told };
  }

  /** Considers tips from anywhere; whatever moved is published. */
  consider(source: Source): void {
    if (this.ours === undefined) this.#publish();
    const { didMove, isWaiting } = considerSource(this, source);
    if (isWaiting) this.#waiting.add(source.id);
    else this.#waiting.delete(source.id);
    if (isWaiting && this.busyUntil > this.world.now) this.#lookAgain();
    else this.#retry.succeed();
    if (!this.isRunning) return;
    if (didMove) this.hint();
    this.#carryOut(this.engine.receive({ type: 'moved' }));
  }

  /** One look is due at a time, however many wait for it. */
  #lookAgain(): void {
    const again = (this.#again += 1);
    this.after(this.#retry.fail(this.world.draw.unit()), () => void (again === this.#again && this.look()));
  }

  #consider(device: DeviceId): void {
    const map = this.disk.maps.get(device);
    const kind = this.pins.get(device);
    if (map === undefined || kind === undefined || !this.isRunning) return;
    if (kind === 'own' || this.policy.mergeFrom === 'all') this.disk.book = this.world.books.merge(this.disk.book, this.world.books.read(map.refs.get(LEFT_REF)));
    this.consider({ id: device, refs: map.refs, isOwn: kind === 'own', isHub: false });
  }

  #carryOut(intentions: readonly Intention[]): void {
    for (const intention of intentions) {
      if (intention.type === 'publish') this.#publish();
      else if (intention.type === 'consider') this.#consider(intention.device);
      else if (intention.type === 'offer') this.#offer(intention.peer, intention.device);
      else this.#announce(intention.peers);
    }
  }

  #publish(): void {
    if (!this.isRunning) return;
    const { disk, world } = this;
    this.#noteMoves();
    this.ours = new Map(disk.branches);
    const refs = new Map(disk.branches);
    if (disk.book.oid !== undefined) refs.set(LEFT_REF, disk.book.oid);
    const last = disk.maps.get(this.id);
    if (last !== undefined && isSame(last.refs, refs)) return;
    const counter = Math.max((last?.counter ?? 0) + 1, this.clock);
    disk.maps.set(this.id, { counter, refs });
    world.counts.published += 1;
    this.published += 1;
    this.tell({ type: 'published', counter });
    for (const hub of this.hubs) hub.looked();
  }

  /** What a person moved since the last look other than forward was left on purpose; what came back with it, taken back. */
  #noteMoves(): void {
    const { disk, world, seen } = this;
    const { commits, books, decisions } = world;
    for (const [ref, now] of disk.branches) {
      const before = seen.get(ref);
      seen.set(ref, now);
      if (before === now || before === undefined) continue;
      const left = commits.list(before, now);
      const back = commits.list(now, before);
      const note = (book: typeof disk.book): typeof disk.book => books.store(decisions.noteMove(book.marks, { ref, left, back, stamp: this.clock }));
      disk.book = note(disk.book);
      disk.ownBook = note(disk.ownBook);
    }
  }

  #offer(peer: DeviceId, device: DeviceId): void {
    const { world, lines, disk } = this;
    const [line, map] = [lines.get(peer), disk.maps.get(device)];
    if (line === undefined || map === undefined) return;
    world.counts.offers += 1;
    line.line.ask(this, line.to, {
      ask: () => line.to.takeOffer(this.id, device, map),
      answered: (answer) => {
        if (answer === 'unwanted') return this.tell({ type: 'undelivered', peer, device, mayRetry: true, isUnwanted: true });
        this.tell({ type: 'delivered', peer, device, counter: map.counter });
        if (answer.told !== undefined) this.#takeTold(peer, answer.told);
      },
      failed: () => {
        this.tell({ type: 'undelivered', peer, device, mayRetry: world.draw.hasLuck(0.5) });
        this.contacts.retry(peer);
      },
    });
  }

  #takeTold(peer: DeviceId, told: HeldMap): void {
    if (told.counter <= (this.disk.maps.get(peer)?.counter ?? 0)) return;
    this.disk.maps.set(peer, told);
    this.tell({ type: 'accepted', device: peer, counter: told.counter, via: peer });
  }

  /** Our own map, where what it says is in the map that is answered. */
  #answerTo(peer: DeviceId, map: HeldMap): HeldMap | undefined {
    const own = this.disk.maps.get(this.id);
    const isTold = own !== undefined && own.counter > (this.engine.held(peer).get(this.id) ?? 0) && this.engine.isReachable(peer);
    return isTold && isSame(own.refs, map.refs) ? own : undefined;
  }

  #announce(peers: readonly DeviceId[]): void {
    const counter = this.disk.maps.get(this.id)?.counter ?? 0;
    for (const peer of peers) {
      const line = this.lines.get(peer);
      if (line === undefined) continue;
      this.world.counts.announcements += 1;
      line.line.say(line.to, () => line.to.announced(this.id, counter));
    }
  }
}

function isSame(one: Refs, other: Refs): boolean {
  return one.size === other.size && [...one].every(([ref, oid]) => other.get(ref) === oid);
}
