// Which hook is to run when (docs/git-xmpp.1, "HOOKS"): what happens close together becomes one run. Rule: pure; of one hook of one repository at most
// one run is under way, and what happens meanwhile waits in bounded space.

import type { RepoId } from '../lib/names.ts';
import type { HookEvent } from './policies-format.ts';

/** A ref that moved; absent where it was not, or is not any more. */
export interface HookRef {
  readonly ref: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Something a hook may be told of. */
export interface HookNews {
  readonly repo: RepoId;
  readonly event: HookEvent;
  /** Whose doing it is, by petname; empty for nobody's. */
  readonly peer: string;
  readonly refs: readonly HookRef[];
  /** Files of a conflict. */
  readonly paths: readonly string[];
}

/** One run: all of one event, repository and peer that came since the last. */
export interface HookRun extends HookNews {
  /** Refs and paths that there was no room for. */
  readonly left: number;
}

export type HookIntention =
  /** Call `due` with this key after `ms`. */
  | { readonly type: 'wait'; readonly key: string; readonly ms: number }
  /** Run it, and call `ended` with this key. */
  | { readonly type: 'run'; readonly key: string; readonly run: HookRun };

/** What happens within so many milliseconds is one run. */
export const GATHER_MS = 100;
const MAX_REFS = 1000;
const MAX_PATHS = 1000;
/** Peers whose news wait at one hook. */
const MAX_BATCHES = 64;

interface Queue {
  isRunning: boolean;
  isGathering: boolean;
  /** By peer, in order of their first news. */
  readonly batches: Map<string, HookRun>;
}

/** Gathers news by hook and repository. */
export class HooksMachine {
  readonly #queues = new Map<string, Queue>();

  tell(news: HookNews): HookIntention[] {
    const key = `${news.event} ${news.repo}`;
    const queue = this.#queues.get(key) ?? { isRunning: false, isGathering: false, batches: new Map<string, HookRun>() };
    this.#queues.set(key, queue);
    const before = queue.batches.get(news.peer);
    if (before === undefined && queue.batches.size >= MAX_BATCHES) return [];
    queue.batches.set(news.peer, before === undefined ? join({ ...news, refs: [], paths: [], left: 0 }, news) : join(before, news));
    if (queue.isRunning || queue.isGathering) return [];
    queue.isGathering = true;
    return [{ type: 'wait', key, ms: GATHER_MS }];
  }

  /** The wait is over. */
  due(key: string): HookIntention[] {
    const queue = this.#queues.get(key);
    if (queue === undefined || queue.isRunning) return [];
    queue.isGathering = false;
    return this.#next(key, queue);
  }

  /** The run is over, however it went. */
  ended(key: string): HookIntention[] {
    const queue = this.#queues.get(key);
    if (queue === undefined || !queue.isRunning) return [];
    queue.isRunning = false;
    return this.#next(key, queue);
  }

  #next(key: string, queue: Queue): HookIntention[] {
    const [first] = queue.batches;
    if (first === undefined) {
      this.#queues.delete(key);
      return [];
    }
    const [peer, run] = first;
    queue.batches.delete(peer);
    queue.isRunning = true;
    return [{ type: 'run', key, run }];
  }
}

/** A ref that moved twice moved once, from where it first was to where it is now. */
function join(run: HookRun, news: HookNews): HookRun {
  const refs = new Map(run.refs.map((each) => [each.ref, each]));
  const paths = new Set(run.paths);
  let { left } = run;
  for (const each of news.refs) {
    const before = refs.get(each.ref);
    if (before === undefined && refs.size >= MAX_REFS) left += 1;
    else refs.set(each.ref, before === undefined ? each : { ref: each.ref, from: before.from, to: each.to });
  }
  for (const path of news.paths) {
    if (!paths.has(path) && paths.size >= MAX_PATHS) left += 1;
    else paths.add(path);
  }
  return { ...run, refs: [...refs.values()], paths: [...paths], left };
}
