// What stands in the way of each source's tips in one repository, and the looks that are due (docs/ARCHITECTURE.md). Rule: the plan decides
// (consider.ts); what moved and what waits is told once, and what waits for a lock or a clean work tree is tried again, ever more slowly.

import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { ConfigAhead } from '../git/config-ahead.ts';
import type { Peer, Peers } from '../home/peers.ts';
import { consider } from './consider.ts';
import type { Moved, TipSource } from './consider.ts';
import type { RepoContext, SourceId, Waiting } from './context.ts';
import type { Events } from './events.ts';
import type { LeftBooks } from './left-book.ts';
import { findRemote, urlOf, writeMirror } from './mirror.ts';
import type { RepoPolicies } from './policies.ts';
import { syncedOf } from './policies.ts';
import type { ConfigValues } from './setting-reader.ts';
import { isLimited, isShownTo } from './shown-branches.ts';

export interface ConsideringParts {
  readonly context: RepoContext;
  readonly policies: RepoPolicies;
  readonly peers: Peers;
  readonly events: Events;
  readonly left: LeftBooks;
  readonly clock: Clock;
  readonly random: () => number;
  /** Looks at the whole repository again. */
  readonly look: () => void;
}

interface Taking {
  readonly name: string;
  readonly ours: RefsOfMap;
  /** The repository's configuration as it is now. */
  readonly config: ConfigValues;
  readonly mirror?: () => Promise<void>;
}

/** Considers devices and hubs, one at a time: the loop sees to that. */
export class Considering {
  readonly #parts: ConsideringParts;
  readonly #config: ConfigAhead;
  readonly #retry = new Backoff({ baseMs: 500, capMs: 30_000 });
  readonly #waiting = new Map<SourceId, readonly Waiting[]>();
  /** URL of each peer's clone, by the name that the peer gives it. */
  readonly remoteUrls = new Map<DeviceId, string>();
  #again: Timer | undefined;

  constructor(parts: ConsideringParts) {
    this.#parts = parts;
    this.#config = new ConfigAhead(parts.context.runGit, parts.context.repository);
  }

  /** Why branches of which source were not taken over. */
  get waiting(): readonly Waiting[] {
    return [...this.#waiting.values()].flat();
  }

  /** Sources of which something waits. */
  get waitingFor(): readonly SourceId[] {
    return [...this.#waiting.keys()];
  }

  stop(): void {
    this.#again?.cancel();
  }

  /** What is needed to consider is read ahead. */
  prepare(): void {
    this.#config.prepare(this.#parts.clock.now());
  }

  /**
   * Considers a device's map and writes its mirror.
   * @returns whether our map has something to say that it did not say before
   */
  async device(device: DeviceId, ours: RefsOfMap): Promise<boolean> {
    const { context, peers, clock } = this.#parts;
    const peer = peers.byDevice(device);
    if (peer === undefined) return false;
    const config = await this.#config.read(clock.now());
    const url = this.remoteUrls.get(device) ?? urlOf(peer.petname, context.shared().name);
    const source: TipSource = {
      id: device,
      remote: findRemote(config, url) ?? peer.petname,
      isOwn: peer.kind === 'own',
      ...this.#grantedTips(peer),
      setActed: (tips) => context.maps.setActed(device, tips),
    };
    // Before it is told what waits: the commands in those words name the mirror.
    const mirror = (): Promise<void> =>
      writeMirror(context, device, { config, url }).catch((error: unknown) => this.#complain('mirror-failed', error, 'writing the mirror', peer.petname));
    return this.#take(source, { name: peer.petname, ours, config, mirror });
  }

  /** Where a peer's grant names branches, its others move nothing here. */
  #grantedTips(peer: Peer): Pick<TipSource, 'refs' | 'acted'> {
    const { maps, shared } = this.#parts.context;
    const isMine = ([ref]: readonly [string, unknown]): boolean => !isLimited(shared(), peer) || isShownTo(shared(), peer, ref);
    const acted = Object.fromEntries(Object.entries(maps.acted(peer.device)).filter(isMine));
    return { refs: new Map([...maps.refsOf(peer.device)].filter(isMine)), acted };
  }

  /**
   * Considers any other source.
   * @param how.name what a person calls it
   * @returns as `device`
   */
  async source(source: TipSource, how: { readonly name: string; readonly ours: RefsOfMap }): Promise<boolean> {
    return this.#take(source, { ...how, config: await this.#config.read(this.#parts.clock.now()) });
  }

  /** @param how.mirror called between moving and telling what waits */
  async #take(source: TipSource, how: Taking): Promise<boolean> {
    const { context, left, policies } = this.#parts;
    const { policy, synced } = policies.of(how.config);
    left.use(policy);
    if (source.id.startsWith('hub:')) await left.held(source.refs, how.ours);
    const { moved, waiting, problem } = await consider(context, syncedOf(source, synced), { policy, ours: how.ours, book: await left.counting() });
    for (const move of moved) this.#tellMoved(move, how.name);
    await how.mirror?.();
    if (problem !== undefined) this.#complain('sync-failed', problem, 'after considering');
    this.#wait(source.id, how.name, waiting);
    return moved.length > 0 || left.hasNews();
  }

  /** Nothing of that source waits any more. */
  forget(source: SourceId): void {
    this.#waiting.delete(source);
  }

  #tellMoved({ ref, from, to, how, variants = [] }: Moved, name: string): void {
    const { context, events, left } = this.#parts;
    const about = { peer: name, repo: context.shared().name, ref };
    if (how !== 'tag') left.moved(ref, to);
    events.emit({ type: 'moved', words: how === 'merge' ? `${ref} merged with ${name}` : `${ref} ${how} from ${name}`, from, to, ...about });
    if (variants.length === 0) return;
    const words = `${ref}: not every change of ${name} could be merged; the other version is kept beside yours, in ${variants.join(', ')}`;
    events.emit({ type: 'conflict', words, paths: variants, ...about });
  }

  #wait(source: SourceId, name: string, waiting: readonly Waiting[]): void {
    const { context, events } = this.#parts;
    const known = new Set((this.#waiting.get(source) ?? []).map((each) => each.ref + each.words));
    for (const each of waiting.filter((one) => !known.has(one.ref + one.words))) {
      const words = `${each.ref} of ${name} waits: ${each.words}`;
      events.emit({ type: 'waiting', words, peer: name, repo: context.shared().name, ref: each.ref });
    }
    if (waiting.length === 0) this.#waiting.delete(source);
    else this.#waiting.set(source, waiting);
    this.#planAgain();
  }

  #planAgain(): void {
    this.#again?.cancel();
    const isBusy = this.waiting.some(({ why }) => why === 'busy' || why === 'failed');
    if (!isBusy) return this.#retry.succeed();
    this.#again = this.#parts.clock.setTimer(this.#retry.fail(this.#parts.random()), this.#parts.look);
  }

  #complain(type: string, error: unknown, doing: string, peer?: string): void {
    const fault = asFault(error, doing);
    this.#parts.events.emit({ type, words: `${doing}: ${fault.message}`, repo: this.#parts.context.shared().name, code: fault.code, ...(peer === undefined ? {} : { peer }) });
  }
}
