// One hub of one repository while the agent runs: what happens becomes facts, the machine answers with intentions, and they are carried out here (docs/ARCHITECTURE.md).
// Rule: thin; when to do what is decided in sync/hub-machine.ts, and how git does it in git/hub.ts.

import { steadyNow } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { fetchHub, isRelated, listHub, pushHub, troubleOf } from '../git/hub.ts';
import type { HubPlace } from '../git/hub.ts';
import { removeStaleLocks } from '../git/stale-locks.ts';
import { HubMachine, SYNCED } from '../sync/hub-machine.ts';
import type { HubFact, HubIntention, HubMode, HubRefs, HubTrouble, HubUpdate } from '../sync/hub-machine.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { AutomaticTips } from './automatic-tips.ts';
import type { TipSource } from './consider.ts';
import { Contained } from './contained.ts';
import type { RepoContext } from './context.ts';
import { Disk } from './disks.ts';
import type { Events } from './events.ts';
import { sourcesOf } from './hub-sources.ts';
import type { ActedStore } from './hub-sources.ts';
import type { Exchanges } from './exchanges.ts';

/** A lock that is still there by then is nobody's. */
const KILLED_MS = 3_500;

export interface HubParts {
  readonly context: RepoContext;
  readonly place: Omit<HubPlace, 'signal'>;
  readonly mode: HubMode;
  /** What our own tips are called there. */
  readonly folder: string;
  /** Where it is, when it is a path. */
  readonly path: string | undefined;
  /** What it held when it was last fetched. */
  readonly seen: HubRefs;
  readonly store: ActedStore;
  readonly events: Pick<Events, 'emit'>;
  readonly exchanges: Pick<Exchanges, 'during'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Considers sources, one after another, while nothing else moves. @returns what stands here then */
  readonly takeOver: (sources: readonly TipSource[], name: string) => Promise<RefsOfMap>;
  /** Something of ours went there. */
  readonly onPushed: () => void;
}

/** From its first contact to `stop`. */
export class Hub {
  readonly machine: HubMachine;
  readonly parts: HubParts;
  readonly #disk: Disk | undefined;
  readonly #contained: Contained;
  readonly #automatic: AutomaticTips;
  readonly #now: () => number;
  readonly #telling = new Serial();
  readonly #ending = new AbortController();
  /** Ends what is under way and no more. */
  #tearing = new AbortController();
  #ours: RefsOfMap = new Map();
  #timer: Timer | undefined;
  #isRelated = false;
  #isHinted = false;
  #toldTrouble: string | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(parts: HubParts, ours: RefsOfMap) {
    this.parts = parts;
    this.machine = new HubMachine({ mode: parts.mode, prefix: `${SYNCED}${parts.folder}/`, ...(parts.seen.size === 0 ? {} : { seen: parts.seen }) });
    this.#contained = new Contained(parts.context);
    this.#automatic = new AutomaticTips(parts.context);
    this.#now = steadyNow(parts.clock);
    const { path, clock } = parts;
    this.#disk = path === undefined ? undefined : new Disk({ path, clock, onMedium: (isThere) => this.#onMedium(isThere), onHint: () => void this.#onHint() });
    void this.ours(ours);
  }

  /** Branches and tags as they were last told. */
  get tips(): RefsOfMap {
    return this.#ours;
  }

  get #place(): HubPlace {
    return { ...this.parts.place, signal: AbortSignal.any([this.#ending.signal, this.#tearing.signal]) };
  }

  get remote(): string {
    return this.parts.place.remote;
  }

  /** Ends what is under way. @returns when that has ended, and nothing of it is written any more */
  stop(): Promise<void> {
    this.#ending.abort();
    this.#timer?.cancel();
    this.#disk?.stop();
    return this.#underWay;
  }

  /** Signed in, the network returned, or a person asked. */
  async contact(): Promise<void> {
    await this.look();
    this.#tell({ type: 'contact' });
  }

  /** Another device said that there is something new. */
  told(): void {
    this.#tell({ type: 'told' });
  }

  /** Something was mounted or unmounted: whether a hub that is a path is there now. */
  async look(): Promise<void> {
    await this.#disk?.look();
  }

  /** What stands here now. */
  async ours(tips: RefsOfMap): Promise<void> {
    await this.#disk?.look();
    await this.#tellOurs('ours', tips);
  }

  /** Everything that it holds as sources to consider; none where nothing is taken from it. */
  sources(): readonly TipSource[] {
    if (this.parts.mode === 'push' || !this.#isRelated) return [];
    return sourcesOf({ remote: this.remote, folder: this.parts.folder }, this.machine.hub, this.parts.store);
  }

  /** In order: what contains what is told of just the tips that it was asked for. */
  #tellOurs(type: 'ours' | 'considered', tips: RefsOfMap): Promise<void> {
    return this.#telling.run(async () => {
      this.#ours = tips;
      const { hub } = this.machine;
      const [contained, automatic] = [await this.#contained.of(tips, hub), await this.#automatic.of(tips, hub)];
      this.#tell({ type, tips, contained, automatic, idle: await this.#automatic.idle(automatic, tips, hub) });
    });
  }

  #tell(fact: HubFact): void {
    if (this.#ending.signal.aborted) return;
    const intentions = this.machine.receive(fact, this.#now(), this.parts.random);
    for (const intention of intentions) this.#underWay = this.#carryOut(intention);
    this.#timer?.cancel();
    const at = this.machine.wakeAt;
    if (at !== undefined) this.#timer = this.parts.clock.setTimer(Math.max(0, at - this.#now()), () => this.#tell({ type: 'time' }));
    this.#tellTrouble();
    if (this.#isHinted && !this.machine.isBusy) void this.#onHint();
  }

  async #carryOut(intention: HubIntention): Promise<void> {
    try {
      if (intention.type === 'announce') this.parts.onPushed();
      else if (intention.type === 'fetch') {
        const refs = intention.isListing ? await listHub(this.#place) : await this.#moving(() => fetchHub(this.#place));
        this.#tell({ type: 'fetched', refs });
      } else if (intention.type === 'push') {
        await this.#push(intention.updates);
      } else {
        await this.#consider(intention.refs, intention.mayMove);
      }
    } catch (error) {
      await this.#fail(asFault(error, `syncing with ${this.remote}`));
    }
  }

  #moving<T>(work: () => Promise<T>): Promise<T> {
    return this.parts.exchanges.during(this.parts.context.shared(), this.remote, work);
  }

  async #push(updates: readonly HubUpdate[]): Promise<void> {
    const results = await this.#moving(() => pushHub(this.#place, updates));
    const pushed = updates.filter(({ ref, isOwn }) => !isOwn && results.get(ref) === 'done');
    for (const { ref } of pushed) this.#emit('hub-pushed', `${ref.replace('refs/heads/', '')} went to ${this.remote}`, ref);
    this.#tell({ type: 'pushed', results });
    for (const [ref, words] of this.machine.declined) {
      if (updates.some((update) => update.ref === ref)) this.#emit('hub-declined', `${this.remote} declined ${ref}: ${words}`, ref);
    }
  }

  async #consider(refs: HubRefs, mayMove: boolean): Promise<void> {
    this.#isRelated ||= await isRelated(this.#place, this.#ours, refs);
    if (!this.#isRelated) throw this.#unrelated();
    const ours = mayMove ? await this.parts.takeOver(this.sources(), this.remote) : this.#ours;
    await this.#tellOurs('considered', ours);
  }

  #unrelated(): Fault {
    const remedy = `git remote set-url ${this.remote} <another>, or git config --unset remote.${this.remote}.xmppSync`;
    return new Fault('refused-repository', `${this.remote}: its history has no commit in common with this repository`, { remedy });
  }

  async #fail(fault: Fault): Promise<void> {
    // A medium that was taken away in the middle: that is the reason, and no error of git's.
    await this.#disk?.look();
    const trouble: HubTrouble = fault.code === 'refused-repository' ? { kind: 'person', words: `${fault.message}; ${fault.remedy ?? ''}` } : troubleOf(fault);
    this.#tell({ type: 'failed', trouble });
    // A git that was killed leaves a lock in its own way, and in that of every later one.
    this.parts.clock.setTimer(KILLED_MS, () => void removeStaleLocks(this.parts.place.repository, this.parts.clock.now()).catch(() => undefined));
  }

  /** Each reason is told once, until it works again. */
  #tellTrouble(): void {
    const { trouble, isThere } = this.machine;
    const words = isThere ? trouble?.words : undefined;
    if (words !== undefined && words !== this.#toldTrouble) this.#emit('hub-waiting', words);
    this.#toldTrouble = trouble === undefined ? undefined : (words ?? this.#toldTrouble);
  }

  #onMedium(isThere: boolean): void {
    this.#emit(isThere ? 'hub-there' : 'hub-gone', isThere ? `${this.remote} is there` : `${this.remote} is not there: ${this.parts.path ?? ''}`);
    this.#tell({ type: 'medium', isThere });
    if (isThere) return;
    this.#tearing.abort();
    this.#tearing = new AbortController();
  }

  /** Its refs were written, by us or by others: only what is new counts. */
  async #onHint(): Promise<void> {
    this.#isHinted = this.machine.isBusy;
    if (this.#isHinted) return;
    const before = this.machine.hub;
    const refs = await listHub(this.#place).catch(() => undefined);
    if (refs === undefined || this.machine.hub !== before) return;
    if (refs.size !== before.size || [...refs].some(([ref, oid]) => before.get(ref) !== oid)) this.#tell({ type: 'told', isSeen: true });
  }

  #emit(type: string, words: string, ref?: string): void {
    this.parts.events.emit({ type, words, peer: this.remote, repo: this.parts.context.shared().name, ...(ref === undefined ? {} : { ref }) });
  }
}
