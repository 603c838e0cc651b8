// Which refs of a hub are to be changed, and when each may be (hub-machine.ts drives it). Rule: our own `synced/…` ref comes first and is ours alone;
// a branch goes forward only, at once where nobody else moved it lately, else once our tip has been quiet; a tag is made and never moved.

import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import type { HubRefs, HubUpdate, PushResult } from './hub-facts.ts';
import { dueAt, newPace, noteChanged, notePushed, noteRefused } from './hub-pace.ts';
import type { Moment, Pace } from './hub-pace.ts';

/** Where every device's own tips lie at a hub: `refs/heads/synced/<device>/<branch>`. */
export const SYNCED = 'refs/heads/synced/';
const NONE: ReadonlySet<RefName> = new Set();

/** What is here; as in the facts `ours` and `considered`. */
export interface OurTips {
  readonly tips: HubRefs;
  readonly contained: HubRefs;
  readonly automatic?: ReadonlySet<RefName>;
  readonly idle?: ReadonlySet<RefName>;
}

/** What is remembered of one ref of the hub. */
interface Known extends Pace {
  /** Our tip that the hub declined, with its words: the same is not offered again by itself. */
  declined: { readonly tip: Oid | undefined; readonly words: string } | undefined;
  /** Our tip when the hub was found without it: somebody took it away there, and it is made again only when it changes. */
  gone: Oid | undefined;
  /** Our tip and the hub's that were compared last. */
  compared: string | undefined;
}

/** What is here, what the hub holds, and what is to be changed there. Times are in ms. */
export class HubBranches {
  readonly #prefix: string;
  readonly #known = new Map<RefName, Known>();
  #ours: HubRefs | undefined;
  #contained: HubRefs = new Map();
  #automatic: ReadonlySet<RefName> = NONE;
  #hub: HubRefs | undefined;

  /**
   * @param prefix where our own tips lie: `refs/heads/synced/<device>/`
   * @param seen what the hub held when it was last seen, if that is known
   */
  constructor(prefix: string, seen: HubRefs | undefined) {
    this.#prefix = prefix;
    this.#hub = seen;
  }

  /** What the hub holds as far as is known. */
  get hub(): HubRefs {
    return this.#hub ?? new Map();
  }

  /** Takes in what is here now. */
  setOurs({ tips, contained, automatic = NONE, idle = NONE }: OurTips, at: Moment): void {
    const before = this.#ours;
    this.#ours = tips;
    this.#contained = contained;
    this.#automatic = automatic;
    for (const [ref, oid] of tips) if (before?.get(ref) !== oid) noteChanged(this.#of(ref), at, idle.has(ref));
  }

  /** Takes in everything that the hub holds. @returns whether somebody else has changed anything */
  setHub(refs: HubRefs, now: number): boolean {
    const before = this.#hub;
    this.#hub = refs;
    if (before === undefined) return true;
    let isNews = false;
    for (const ref of new Set([...before.keys(), ...refs.keys()])) {
      if (before.get(ref) === refs.get(ref) || ref.startsWith(this.#prefix)) continue;
      const known = this.#of(ref);
      known.movedAt = now;
      known.gone = refs.has(ref) ? undefined : this.#ours?.get(ref);
      isNews = true;
    }
    return isNews;
  }

  /** @returns whether the hub is to be looked at again: somebody was faster */
  setPushed(updates: readonly HubUpdate[], results: ReadonlyMap<RefName, PushResult>, at: Moment): boolean {
    const hub = new Map(this.#hub);
    let isStale = false;
    for (const { ref, to, isOwn } of updates) {
      const result = results.get(ref) ?? 'stale';
      const known = this.#of(ref);
      if (result === 'done') {
        if (to === undefined) hub.delete(ref);
        else hub.set(ref, to);
        known.refusals = 0;
        if (!isOwn) notePushed(known, at.now);
      } else if (result === 'stale') {
        isStale = true;
        noteRefused(known, at);
      } else {
        known.declined = { tip: to, words: result.declined };
      }
    }
    this.#hub = hub;
    return isStale;
  }

  /** What was declined may be offered again. */
  forgive(): void {
    for (const known of this.#known.values()) known.declined = undefined;
  }

  /** The words of the hub for each ref that it declined. */
  get declined(): ReadonlyMap<RefName, string> {
    return new Map(this.wanted().flatMap((update) => {
      const words = this.#declinedWords(update);
      return words === undefined ? [] : [[update.ref, words] as const];
    }));
  }

  /** Branches here that the hub's tip is not contained in: nothing can be pushed there until it is. */
  get apart(): readonly RefName[] {
    return this.#tips('refs/heads/').filter(([ref, oid]) => this.hub.has(ref) && this.hub.get(ref) !== oid && !this.#isForward(ref)).map(([ref]) => ref);
  }

  /**
   * Whether a branch is due that cannot go forward, for ours has moved to what the hub's tip is no part of (another automatic merge): ours is then to be
   * built on the hub's tip. True once for each pair of tips.
   */
  mustBuildOnHub(now: number): boolean {
    const due = this.#uncompared().filter((update) => this.#dueAt(update) <= now);
    for (const { ref, pair } of due) this.#of(ref).compared = pair;
    return due.length > 0;
  }

  /** Everything that the hub lacks and may get, in order, whenever that may be. */
  wanted(): readonly HubUpdate[] {
    return [...this.#wantedOwn(), ...this.#wantedBranches(), ...this.#wantedTags()];
  }

  /** What may be pushed now. */
  due(now: number): readonly HubUpdate[] {
    return this.#offerable().filter((update) => this.#dueAt(update) <= now);
  }

  /** When the next may be pushed, or is to be built on the hub's tip; undefined when none waits for its time. */
  get nextAt(): number | undefined {
    const times = [...this.#offerable(), ...this.#uncompared()].map((update) => this.#dueAt(update));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #offerable(): readonly HubUpdate[] {
    return this.wanted().filter((update) => this.#declinedWords(update) === undefined);
  }

  #uncompared(): readonly { readonly ref: RefName; readonly isOwn: boolean; readonly pair: string }[] {
    const pairs = this.apart.map((ref) => ({ ref, isOwn: false, pair: `${this.#ours?.get(ref)} ${this.hub.get(ref)}` }));
    return pairs.filter(({ ref, pair }) => this.#known.get(ref)?.compared !== pair);
  }

  /** What is here has just been compared with all that the hub holds. */
  noteCompared(): void {
    for (const { ref, pair } of this.#uncompared()) this.#of(ref).compared = pair;
  }

  #declinedWords({ ref, to }: HubUpdate): string | undefined {
    const declined = this.#known.get(ref)?.declined;
    return declined?.tip === to ? declined?.words : undefined;
  }

  #wantedOwn(): HubUpdate[] {
    const targets = new Map(this.#tips('refs/heads/').map(([ref, oid]) => [this.#ownRef(ref), oid]));
    const left = this.#ours === undefined ? [] : [...this.hub.keys()].filter((ref) => ref.startsWith(this.#prefix) && !targets.has(ref));
    const moved = [...targets].filter(([ref, oid]) => this.hub.get(ref) !== oid);
    return [
      ...left.map((ref) => ({ ref, from: this.hub.get(ref), to: undefined, isOwn: true })),
      ...moved.map(([ref, to]) => ({ ref, from: this.hub.get(ref), to, isOwn: true })),
    ];
  }

  #wantedBranches(): HubUpdate[] {
    const tips = this.#tips('refs/heads/').filter(([ref, oid]) => this.hub.get(ref) !== oid && this.#isForward(ref));
    return tips.filter(([ref, oid]) => this.#known.get(ref)?.gone !== oid).map(([ref, to]) => ({ ref, from: this.hub.get(ref), to, isOwn: false }));
  }

  #wantedTags(): HubUpdate[] {
    const tips = this.#tips('refs/tags/').filter(([ref, oid]) => !this.hub.has(ref) && this.#known.get(ref)?.gone !== oid);
    return tips.map(([ref, to]) => ({ ref, from: undefined, to, isOwn: false }));
  }

  /** Ours below `prefix`; what lies under `synced/` here is nobody's branch. */
  #tips(prefix: string): (readonly [RefName, Oid])[] {
    return [...(this.#ours ?? [])].filter(([ref]) => ref.startsWith(prefix) && !ref.startsWith(SYNCED));
  }

  #isForward(ref: RefName): boolean {
    const there = this.hub.get(ref);
    return there === undefined || this.#contained.get(ref) === there;
  }

  #ownRef(ref: RefName): RefName {
    return parseRefName(`${this.#prefix}${ref.slice('refs/heads/'.length)}`);
  }

  #dueAt({ ref, isOwn }: Pick<HubUpdate, 'ref' | 'isOwn'>): number {
    return dueAt(this.#of(ref), { isOwn, isAutomatic: this.#automatic.has(ref) });
  }

  #of(ref: RefName): Known {
    const known = this.#known.get(ref) ?? { ...newPace(), declined: undefined, gone: undefined, compared: undefined };
    this.#known.set(ref, known);
    return known;
  }
}
