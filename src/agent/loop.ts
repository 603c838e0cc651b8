// The loop of one shared repository: hints and peers become facts, the engine answers with intentions, and they are carried out here
// (docs/ARCHITECTURE.md). Rule: thin; what is decided is decided in sync/, what is done is done by the file named after it.

import { steadyNow } from '../lib/clock.ts';
import type { Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { Engine } from '../sync/engine.ts';
import type { Fact, Intention } from '../sync/engine.ts';
import type { HintKind } from '../git/watch.ts';
import type { ToldMap } from '../link/http-format.ts';
import { AutoCommit } from './auto-commit.ts';
import { hasOnlyGrown } from './consider.ts';
import type { TipSource } from './consider.ts';
import { Considering } from './considering.ts';
import type { RepoContext, SourceId } from './context.ts';
import { Deliveries } from './deliveries.ts';
import { Hubs } from './hubs.ts';
import type { HubsParts } from './hubs.ts';
import { LeftBooks } from './left-book.ts';
import type { LoopParts } from './loop-parts.ts';
import { cheapestFirst } from './offer-order.ts';
import { OwnRefs } from './own-refs.ts';
import { Publisher } from './publisher.ts';
import { RepoPolicies, syncedOf } from './policies.ts';
import { isRelaying } from './shown-branches.ts';
import { Doubt, Vanishing } from './vanishing.ts';

/** Ref updates of one `git commit` come within this many milliseconds; waiting longer would only be slower. */
const SETTLE_MS = 2;

/** Everything that runs for one shared repository. */
export class RepoLoop {
  readonly context: RepoContext;
  readonly engine: Engine;
  readonly #parts: LoopParts;
  readonly #serial = new Serial();
  readonly #deliveries: Deliveries;
  /** What is set for this repository. */
  readonly policies: RepoPolicies;
  /** What is taken over, and what waits. */
  readonly considering: Considering;
  /** Commits of what changes in the work tree, where they are wanted. */
  readonly autoCommit: AutoCommit;
  /** Ordinary remotes that are kept in sync. */
  readonly hubs: Hubs;
  /** Our refs as they were last announced: an announcement names what changed since. */
  announced: RefsOfMap = new Map();
  /** Why the branches could not be looked at the last time, if they could not. */
  problem: Fault | undefined;
  readonly #onFact = new Set<() => void>();
  /** Branches and tags as last looked at. */
  #ours: RefsOfMap | undefined;
  /** Those of them that others are told, and that are synced. */
  #shown: RefsOfMap = new Map();
  readonly #ownRefs: OwnRefs;
  readonly #publisher: Publisher;
  #hint: Timer | undefined;
  #isStopped = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.context = parts.context;
    this.policies = new RepoPolicies(parts);
    const { policies } = this;
    const left = new LeftBooks(parts);
    this.#ownRefs = new OwnRefs(parts.context, { ...parts, left, policies, vanishing: new Vanishing(parts.context, parts.clock) });
    this.considering = new Considering({ ...parts, policies, left, look: () => void this.look() });
    const { deviceName } = parts.around;
    this.autoCommit = new AutoCommit({ ...parts, deviceName, exclusively: (work) => this.exclusively(work), onCommitted: () => this.hint() });
    const { considering } = this;
    const takeOver: HubsParts['takeOver'] = (sources, name) => this.#takeOver(sources, name);
    const forHubs = { ...parts.around, forget: considering.forget.bind(considering), announce: (hash: string): void => parts.around.announce(this, hash) };
    this.hubs = new Hubs({ ...parts, ...forHubs, takeOver });
    this.engine = new Engine(parts.me.device, parts.context.maps.counters, () => isRelaying(parts.context.shared()));
    const { engine } = this;
    this.#publisher = new Publisher({ ...parts, engine, carryOut: (all) => this.#carryOut(all), onUnwritten: (ms) => this.hint('refs', ms) });
    this.#deliveries = new Deliveries({ ...parts, me: parts.me.device, engine, tell: (fact) => this.tell(fact) });
  }

  stop(): void {
    this.#isStopped = true;
    this.#hint?.cancel();
    this.considering.stop();
    this.autoCommit.stop();
    this.hubs.stop();
  }

  /** Something may have moved in the repository: looked at once it has been quiet for a moment. */
  hint(kind: HintKind = 'refs', ms = SETTLE_MS): void {
    if (this.#isStopped) return;
    this.autoCommit.hint(kind);
    if (kind === 'config') void this.hubs.reload();
    // Every `git add` changes the index, which matters only to a branch that waits for it.
    if (kind === 'work' && this.considering.waitingFor.length === 0) return;
    this.#hint?.cancel();
    this.#hint = this.#parts.clock.setTimer(ms, () => void this.look());
  }

  /** Looks at the branches now: publishes what moved, and tries again what waited. */
  look(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isStopped) return;
      try {
        const [before, { version }] = [this.#ours, this.policies];
        await this.#carryOut(this.engine.receive({ type: 'moved' }));
        // What went back, or was not there before, may stand otherwise to any map; what only grew, to those that waited.
        const isGrown = await hasOnlyGrown(this.context, before ?? new Map(), this.#ours ?? new Map());
        const hasToLook = (id: SourceId): boolean => !isGrown || version !== this.policies.version || this.considering.waitingFor.includes(id);
        for (const device of this.context.maps.counters.keys()) if (hasToLook(device)) await this.#consider(device);
        for (const { source, name } of this.hubs.sources()) if (hasToLook(source.id)) await this.#take(source, name);
        this.problem = undefined;
      } catch (error) {
        this.problem = asFault(error, 'looking at the branches');
        this.#complain('look-failed', this.problem, 'looking at the branches');
      }
    });
  }

  /** Does `work` while nothing else of this repository moves. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work);
  }

  /** Resolves when every peer that can be reached has all maps that it takes, or after `ms`. */
  async settled(ms: number): Promise<void> {
    const { clock, peers } = this.#parts;
    const steady = steadyNow(clock);
    const isSettled = (): boolean => peers.list().every(({ device }) => !this.engine.isReachable(device) || !this.engine.isOffering(device));
    const until = steady() + ms;
    await this.#serial.run(() => Promise.resolve());
    while (!isSettled() && steady() < until) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(until - steady(), resolve);
        const wake = (): void => {
          timer.cancel();
          this.#onFact.delete(wake);
          resolve();
        };
        this.#onFact.add(wake);
      });
    }
  }

  /** Hands a fact to the engine and carries out what it answers. */
  tell(fact: Fact): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isStopped) return;
      try {
        await this.#carryOut(this.engine.receive(fact));
      } catch (error) {
        this.#complain('sync-failed', error, `after ${fact.type}`);
      }
      for (const wake of this.#onFact) wake();
    });
  }

  /** A device is not paired any more: what it said counts for nothing, here or where it would be passed on to. */
  async forget(device: DeviceId): Promise<void> {
    await this.tell({ type: 'forgotten', device });
    await this.exclusively(async () => {
      this.considering.forget(device);
      await this.context.maps.forget(device).catch((error: unknown) => this.#complain('sync-failed', error, 'forgetting an unpaired device'));
    });
  }

  /**
   * A map of `device` came from `via`, which waits for an answer: it is considered, and what we have to say of our own map goes into it.
   * @param answer lets the answer go; false when it has gone already
   */
  async accepted(
    fact: { readonly device: DeviceId; readonly counter: number; readonly via: DeviceId },
    answer: (told: ToldMap | undefined) => boolean,
  ): Promise<void> {
    await this.tell({ type: 'accepted', ...fact, isOpen: true });
    const told = this.#deliveries.answerTo(fact.via, fact.device);
    if (answer(told) && told !== undefined) await this.#deliveries.answered(fact.via, told);
    await this.tell({ type: 'answered', peer: fact.via });
  }

  async #carryOut(intentions: readonly Intention[]): Promise<void> {
    for (const intention of cheapestFirst(intentions, (peer) => this.#parts.links.isOnItsOwn(peer))) {
      switch (intention.type) {
        case 'publish':
          await this.#publish();
          break;
        case 'consider':
          await this.#consider(intention.device);
          break;
        case 'offer':
          // Offers to several peers go on in parallel, and outside of the queue: a slow link must not hold up a fast one.
          void this.#deliveries.offer(intention.peer, intention.device);
          break;
        case 'announce':
          this.#parts.announce(this, intention.peers);
          this.announced = this.context.maps.refsOf(this.#parts.me.device);
          break;
      }
    }
  }

  async #publish(): Promise<void> {
    // In doubt nothing is known.
    this.#ours = undefined;
    const { all, shown } = await this.#ownRefs.read();
    this.#ours = all;
    // What is not synced any more is told as it was; no hub gets it.
    this.#shown = syncedOf({ refs: shown, acted: {} }, (await this.policies.read()).synced).refs;
    this.hubs.moved(this.#shown);
    await this.#publisher.publish(shown);
  }

  async #consider(device: DeviceId): Promise<void> {
    if (this.#ours === undefined) await this.#publish();
    if (await this.considering.device(device, this.#ours ?? new Map())) await this.#carryOut(this.engine.receive({ type: 'moved' }));
  }

  /** Takes over what a hub holds. @returns what others are told of what stands here then */
  #takeOver(sources: readonly TipSource[], name: string): Promise<RefsOfMap> {
    return this.#serial.run(async () => {
      // Whoever opened the repository anew moves its branches now, and of two at once neither knows the other's journal.
      if (this.#isStopped) return this.#shown;
      if (this.#ours === undefined) await this.#publish();
      for (const source of sources) await this.#take(source, name);
      return this.#shown;
    });
  }

  async #take(source: TipSource, name: string): Promise<void> {
    if (await this.considering.source(source, { name, ours: this.#ours ?? new Map() })) await this.#carryOut(this.engine.receive({ type: 'moved' }));
  }

  /** A map is about to be taken in: what is needed to consider it is read meanwhile. */
  prepare(): void {
    this.considering.prepare();
  }

  #complain(type: string, error: unknown, doing: string): void {
    const fault = asFault(error, doing);
    if (fault instanceof Doubt) return this.hint('refs', fault.retryMs);
    this.#parts.events.emit({ type, words: `${doing}: ${fault.message}`, repo: this.context.shared().name, code: fault.code });
  }
}
