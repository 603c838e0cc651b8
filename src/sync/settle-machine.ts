// When changed files are committed by themselves: touches, looks and the time in, intentions out
// (docs/decisions/0034-commits-by-itself.md). Rule: a file goes when two looks half a delay apart find the same size and time, and nobody
// touched it between; whoever is still being written waits, and holds up the others for a while only.

/** What a look found at a path: size in bytes and time of change in ms since 1970; undefined when nothing is there. */
export type FileSign = { readonly size: number; readonly mtimeMs: number } | undefined;

/** What happened. A path goes from the top of the work tree, with `/` between names. */
export type SettleFact =
  | { readonly type: 'touched'; readonly path: string }
  /** Something may have changed anywhere. */
  | { readonly type: 'everything' }
  /** Answers `look`, one for each path. */
  | { readonly type: 'looked'; readonly found: ReadonlyMap<string, FileSign> }
  /** git ignores them. */
  | { readonly type: 'ignored'; readonly paths: Iterable<string> }
  /** Answers `commit`: what could go has gone. */
  | { readonly type: 'committed' }
  /** Answers `commit`: nothing can be committed now. Until `retry`, nothing is asked for. */
  | { readonly type: 'held' }
  | { readonly type: 'retry' }
  /** The time for which `wakeAt` asked has come. */
  | { readonly type: 'time' };

/** What is to be done. */
export type SettleIntention =
  /** Look at size and time of these; answered by `looked`. */
  | { readonly type: 'look'; readonly paths: readonly string[] }
  /** Commit what `mayGo`; answered by `committed` or `held`. */
  | { readonly type: 'commit' }
  /** It is still being written after a minute; the others go without it. */
  | { readonly type: 'unsettled'; readonly path: string };

export interface SettleOptions {
  /** For how long a file must have been left alone, in ms. */
  readonly delayMs: number;
  /** Touched paths that are told apart; beyond, git is asked for all. */
  readonly maxPaths?: number;
}

interface Entry {
  firstAt: number;
  /** When it is looked at next. */
  dueAt: number;
  isAsked: boolean;
  /** What the last look found, if nobody has touched it since. */
  look: { readonly sign: FileSign } | undefined;
  settledAt: number | undefined;
  isGoing: boolean;
  isTold: boolean;
}

interface Many {
  readonly firstAt: number;
  touchedAt: number;
  /** Touches are counted no more, path by path. */
  isOverflow: boolean;
}

const MAX_PATHS = 4096;
/** Files that are settled wait so many delays for others. */
const PATIENCE = 10;
/** A file that is still being written after this is told. */
const UNSETTLED_MS = 60_000;

/** The changes of one work tree that are not committed yet. Bounded: 4096 paths, then it only knows that there are many. */
export class SettleMachine {
  readonly #options: Required<SettleOptions>;
  readonly #entries = new Map<string, Entry>();
  /** Too many to tell apart, or not known which. */
  #many: Many | undefined;
  #state: 'free' | 'committing' | 'held' = 'free';
  #last: number | undefined;
  /** Time as the machine counts it: never backwards, never further than was asked for. */
  #time = 0;
  #wakeAt: number | undefined;

  constructor({ delayMs, maxPaths = MAX_PATHS }: SettleOptions) {
    this.#options = { delayMs, maxPaths };
  }

  /** Files that are still being written after a minute. */
  get unsettled(): readonly string[] {
    return [...this.#entries].flatMap(([path, { isTold }]) => (isTold ? [path] : []));
  }

  /** Milliseconds until `time` is to be told; undefined while nothing waits. */
  get wakeInMs(): number | undefined {
    return this.#wakeAt === undefined ? undefined : Math.max(0, this.#wakeAt - this.#time);
  }

  /** Whether a path may be committed: true or false where it was touched, or a folder that it is in; else undefined. */
  mayGo(path: string): boolean | undefined {
    let isKnown = false;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const entry = this.#entries.get(path.slice(0, end));
      if (entry !== undefined && entry.settledAt === undefined) return false;
      isKnown ||= entry !== undefined && end === path.length;
    }
    return isKnown ? true : undefined;
  }

  /** @param now ms since 1970; it may jump */
  receive(fact: SettleFact, now: number): SettleIntention[] {
    this.#pass(now);
    if (fact.type === 'touched') {
      this.#touch(fact.path);
      return [];
    }
    this.#take(fact);
    const intentions = [...this.#looks(), ...this.#tell(), ...this.#commit()];
    this.#plan();
    return intentions;
  }

  /** A clock that is set back stands still here, one that is set forward, or slept, has passed what was waited for. */
  #pass(now: number): void {
    const passed = Math.max(0, now - (this.#last ?? now));
    this.#last = now;
    const most = this.#wakeAt === undefined ? passed : Math.max(0, this.#wakeAt - this.#time) + this.#options.delayMs;
    this.#time += Math.min(passed, most);
  }

  #touch(path: string): void {
    const dueAt = this.#time + this.#options.delayMs / 2;
    this.#wakeAt = Math.min(this.#wakeAt ?? dueAt, dueAt);
    if (this.#many !== undefined) this.#many.touchedAt = this.#time;
    const known = this.#entries.get(path);
    if (known === undefined && this.#many?.isOverflow === true) return;
    if (known === undefined && this.#entries.size >= this.#options.maxPaths) return this.#overflow();
    const firstAt = known === undefined || known.settledAt !== undefined ? this.#time : known.firstAt;
    const isTold = known?.isTold ?? false;
    this.#entries.set(path, { firstAt, dueAt, isAsked: false, look: undefined, settledAt: undefined, isGoing: false, isTold });
  }

  /** Too many to tell apart: only those that never settle are remembered. */
  #overflow(): void {
    for (const [path, { isTold }] of this.#entries) if (!isTold) this.#entries.delete(path);
    if (this.#entries.size >= this.#options.maxPaths) this.#entries.clear();
    this.#everything();
    if (this.#many !== undefined) this.#many.isOverflow = true;
  }

  #everything(): void {
    this.#many ??= { firstAt: this.#time, touchedAt: this.#time, isOverflow: false };
  }

  #take(fact: Exclude<SettleFact, { readonly type: 'touched' }>): void {
    if (fact.type === 'everything' || fact.type === 'held') this.#everything();
    if (fact.type === 'looked') for (const [path, sign] of fact.found) this.#looked(path, sign);
    if (fact.type === 'ignored') for (const path of fact.paths) this.#entries.delete(path);
    if (fact.type === 'committed') {
      for (const [path, { isGoing }] of this.#entries) if (isGoing) this.#entries.delete(path);
    }
    if (fact.type === 'committed' || fact.type === 'retry') this.#state = 'free';
    if (fact.type === 'held') this.#state = 'held';
  }

  #looked(path: string, sign: FileSign): void {
    const entry = this.#entries.get(path);
    if (entry === undefined || !entry.isAsked) return;
    entry.isAsked = false;
    if (entry.look !== undefined && isSame(entry.look.sign, sign)) {
      entry.settledAt = this.#time;
      entry.isTold = false;
      return;
    }
    entry.look = { sign };
    entry.dueAt = this.#time + this.#options.delayMs / 2;
  }

  #looks(): SettleIntention[] {
    const paths: string[] = [];
    for (const [path, entry] of this.#entries) {
      if (entry.settledAt !== undefined || entry.isAsked || entry.dueAt > this.#time) continue;
      entry.isAsked = true;
      paths.push(path);
    }
    return paths.length === 0 ? [] : [{ type: 'look', paths }];
  }

  #tell(): SettleIntention[] {
    return [...this.#entries].flatMap(([path, entry]) => {
      if (entry.settledAt !== undefined || entry.isTold || this.#time - entry.firstAt < UNSETTLED_MS) return [];
      entry.isTold = true;
      return [{ type: 'unsettled', path } as const];
    });
  }

  #commit(): SettleIntention[] {
    const at = this.#commitAt();
    if (this.#state !== 'free' || at === undefined || at > this.#time) return [];
    this.#state = 'committing';
    this.#many = undefined;
    for (const entry of this.#entries.values()) entry.isGoing = entry.settledAt !== undefined;
    return [{ type: 'commit' }];
  }

  /** When something is to be committed; undefined when there is nothing to commit. */
  #commitAt(): number | undefined {
    const patience = PATIENCE * this.#options.delayMs;
    if (this.#many !== undefined) return Math.min(this.#many.touchedAt + this.#options.delayMs, this.#many.firstAt + patience);
    let first: number | undefined;
    let isAnyWritten = false;
    for (const { settledAt, isTold } of this.#entries.values()) {
      if (settledAt !== undefined) first = Math.min(first ?? settledAt, settledAt);
      else isAnyWritten ||= !isTold;
    }
    return first === undefined || !isAnyWritten ? first : first + patience;
  }

  #plan(): void {
    const times: number[] = [];
    for (const { settledAt, isAsked, dueAt, firstAt, isTold } of this.#entries.values()) {
      if (settledAt !== undefined) continue;
      if (!isAsked) times.push(dueAt);
      if (!isTold) times.push(firstAt + UNSETTLED_MS);
    }
    const commitAt = this.#state === 'free' ? this.#commitAt() : undefined;
    if (commitAt !== undefined) times.push(commitAt);
    this.#wakeAt = times.length === 0 ? undefined : times.reduce((least, each) => Math.min(least, each));
  }
}

function isSame(one: FileSign, other: FileSign): boolean {
  return one?.size === other?.size && one?.mtimeMs === other?.mtimeMs;
}
