// The judge of one repository at one hub: facts in, intentions out (docs/ARCHITECTURE.md). Rule: one thing at a time, a hub is never asked without a reason,
// what fails is tried again ever more slowly, and a hub that wants a person is left in peace.

import { Backoff } from '../lib/backoff.ts';
import { HubBranches } from './hub-branches.ts';
import type { HubFact, HubIntention, HubMode, HubRefs, HubTrouble, HubUpdate } from './hub-facts.ts';

export type { HubFact, HubIntention, HubMode, HubRefs, HubTrouble, HubUpdate, PushResult } from './hub-facts.ts';
export { SYNCED } from './hub-branches.ts';

/** More updates than this are not pushed at once: they stand on a command line. */
export const MAX_UPDATES = 400;
/**
 * However often a peer says so, a hub is not fetched again sooner than this, in milliseconds. It doubles up to the second with each time that there was
 * nothing new: an old announcement that is played again and again costs nothing.
 */
export const TOLD_GAP_MS = 1_000;
export const MAX_TOLD_GAP_MS = 5 * 60_000;
const PASSING = { baseMs: 2_000, capMs: 15 * 60_000 };
const PERSON = { baseMs: 60 * 60_000, capMs: 60 * 60_000 };

export interface HubMachineOptions {
  readonly mode: HubMode;
  /** Where our own tips lie at the hub: `refs/heads/synced/<device>/`. */
  readonly prefix: string;
  /** What the hub held when it was last seen, before a restart. */
  readonly seen?: HubRefs;
}

/**
 * Hand it facts as they happen and carry out what it answers, in order; set a timer for `wakeAt` after each, and tell `time` then.
 * It asks for one `fetch`, `push` or `consider` at a time, and waits for the answer. A fresh machine asks for nothing before `contact`.
 */
export class HubMachine {
  readonly #mode: HubMode;
  readonly #branches: HubBranches;
  readonly #passing = new Backoff(PASSING);
  readonly #person = new Backoff(PERSON);
  #isBusy = false;
  #pushing: readonly HubUpdate[] = [];
  /** Of pushes that failed: they may have gone through all the same. */
  #unsure: readonly HubUpdate[] = [];
  #mustFetch = false;
  /** Whether it was looked at since the start: before that nothing is pushed. */
  #isKnown = false;
  #isThere = true;
  /** Whether the medium was taken away under what is under way: how that ends says nothing of the hub. */
  #isTornOff = false;
  /** No fetch because of an announcement before this. */
  #toldAt = -Infinity;
  #toldGap = TOLD_GAP_MS;
  #isTold = false;
  #retryAt: number | undefined;
  #trouble: (HubTrouble & { readonly since: number }) | undefined;

  constructor({ mode, prefix, seen }: HubMachineOptions) {
    this.#mode = mode;
    this.#branches = new HubBranches(prefix, seen);
  }

  /** What the hub holds as far as is known: what `contained` of the next `ours` is about. */
  get hub(): HubRefs {
    return this.#branches.hub;
  }

  /** Why it is not used now, and since when; undefined after every success. */
  get trouble(): (HubTrouble & { readonly since: number }) | undefined {
    return this.#trouble;
  }

  /** Whether it was looked at since the start. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** Whether something is under way. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** What the hub lacks of ours and may get; empty where nothing is pushed. */
  get wanted(): readonly HubUpdate[] {
    return this.#mode === 'fetch' ? [] : this.#branches.wanted();
  }

  /** What the hub said of each ref that it declined. */
  get declined(): HubBranches['declined'] {
    return this.#branches.declined;
  }

  /** Branches whose tips here do not contain the hub's. */
  get apart(): HubBranches['apart'] {
    return this.#branches.apart;
  }

  /** When to tell `time`, by the clock of `now`; undefined while only another fact can lead on. */
  get wakeAt(): number | undefined {
    if (this.#isBusy || !this.#isThere) return undefined;
    if (this.#retryAt !== undefined) return this.#retryAt;
    if (this.#mustFetch && this.#isBelieved) return this.#toldAt;
    const times = [this.#mustFetch ? this.#toldAt : undefined, this.#mayPush ? this.#branches.nextAt : undefined].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * @param now milliseconds by a clock that never goes back
   * @param random draws from 0 up to 1
   */
  receive(fact: HubFact, now: number, random: () => number): HubIntention[] {
    const first = this.#learn(fact, now, random);
    return [...first, ...this.#decide(now)];
  }

  get #mayPush(): boolean {
    return this.#mode !== 'fetch' && this.#isKnown;
  }

  /** Whether there was something new the last time that somebody said so: then it is looked at before anything is pushed. */
  get #isBelieved(): boolean {
    return this.#toldGap === TOLD_GAP_MS;
  }

  #learn(fact: HubFact, now: number, random: () => number): HubIntention[] {
    switch (fact.type) {
      case 'considered':
        this.#isBusy = false;
        this.#branches.setOurs(fact, { now, random });
        this.#branches.noteCompared();
        return [];
      case 'ours':
        this.#branches.setOurs(fact, { now, random });
        return [];
      case 'fetched':
        return this.#fetched(fact.refs, now);
      case 'pushed':
        return this.#pushed(fact.results, { now, random });
      case 'failed':
        this.#failed(fact.trouble, now, random());
        return [];
      case 'told':
        if (this.#mode !== 'push') this.#told(fact.isSeen === true);
        return [];
      case 'contact':
        this.#startOver();
        return [];
      case 'medium':
        if (fact.isThere && !this.#isThere) this.#startOver();
        if (!fact.isThere && this.#isBusy) this.#isTornOff = true;
        this.#isThere = fact.isThere;
        return [];
      case 'time':
        return [];
    }
  }

  #told(isSeen: boolean): void {
    this.#mustFetch = true;
    if (isSeen) this.#toldAt = -Infinity;
    else this.#isTold = true;
  }

  #decide(now: number): HubIntention[] {
    if (this.#isBusy || !this.#isThere) return [];
    if (this.#retryAt !== undefined && now < this.#retryAt) return [];
    this.#retryAt = undefined;
    if (this.#mustFetch && now >= this.#toldAt) return this.#look();
    if (this.#mustFetch && this.#isBelieved) return [];
    const updates = this.#mayPush ? this.#branches.due(now).slice(0, MAX_UPDATES) : [];
    if (updates.length === 0) return this.#build(now);
    this.#isBusy = true;
    this.#pushing = updates;
    return [{ type: 'push', updates }];
  }

  /** A branch that cannot go forward there is built on what is there. */
  #build(now: number): HubIntention[] {
    if (this.#mode !== 'both' || !this.#isKnown || !this.#branches.mustBuildOnHub(now)) return [];
    this.#isBusy = true;
    return [{ type: 'consider', refs: this.#branches.hub, mayMove: true }];
  }

  #look(): HubIntention[] {
    this.#isBusy = true;
    this.#mustFetch = false;
    return [{ type: 'fetch', isListing: this.#mode === 'push' }];
  }

  /** Still busy: what is here is compared, and perhaps moved, before anything is pushed. */
  #fetched(refs: HubRefs, now: number): HubIntention[] {
    this.#succeeded();
    this.#isKnown = true;
    const isNews = this.#branches.setHub(refs, now);
    this.#toldGap = isNews || !this.#isTold ? TOLD_GAP_MS : Math.min(this.#toldGap * 2, MAX_TOLD_GAP_MS);
    // What was told while it was asked may be newer than the answer.
    this.#isTold = this.#mustFetch;
    this.#toldAt = now + this.#toldGap;
    const hasGoneThrough = this.#unsure.some(({ ref, to }) => refs.get(ref) === to);
    this.#unsure = [];
    const consider: HubIntention = { type: 'consider', refs, mayMove: this.#mode !== 'push' };
    return hasGoneThrough ? [{ type: 'announce' }, consider] : [consider];
  }

  #pushed(results: Extract<HubFact, { type: 'pushed' }>['results'], at: { readonly now: number; readonly random: () => number }): HubIntention[] {
    this.#isBusy = false;
    this.#succeeded();
    if (this.#branches.setPushed(this.#pushing, results, at)) {
      this.#mustFetch = true;
      // Somebody was faster: that is news of its own, and no announcement.
      this.#toldAt = at.now;
    }
    const isDone = this.#pushing.some(({ ref }) => results.get(ref) === 'done');
    this.#pushing = [];
    return isDone ? [{ type: 'announce' }] : [];
  }

  /** What was under way may have gone through in part: the hub is looked at before anything else. */
  #failed(trouble: HubTrouble, now: number, random: number): void {
    this.#isBusy = false;
    this.#unsure = [...this.#unsure, ...this.#pushing].slice(-MAX_UPDATES);
    this.#pushing = [];
    this.#mustFetch = true;
    this.#toldAt = -Infinity;
    if (this.#isTornOff) {
      this.#isTornOff = false;
      return;
    }
    this.#trouble = { ...trouble, since: this.#trouble?.since ?? now };
    this.#retryAt = now + (trouble.kind === 'person' ? this.#person : this.#passing).fail(random);
  }

  #succeeded(): void {
    this.#isTornOff = false;
    this.#passing.succeed();
    this.#person.succeed();
    this.#trouble = undefined;
  }

  #startOver(): void {
    this.#passing.succeed();
    this.#person.succeed();
    this.#branches.forgive();
    this.#retryAt = undefined;
    this.#toldAt = -Infinity;
    this.#mustFetch = true;
  }
}
