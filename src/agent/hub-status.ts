// How a repository stands to its hubs, for `git xmpp status` (docs/git-xmpp.1). Rule: it asks no hub; what is told is what was last seen there, and a state that is not
// "in sync" says why, or what ends it.

import type { Oid } from '../lib/names.ts';
import { countCommits } from '../git/refs.ts';
import { SYNCED } from '../sync/hub-machine.ts';
import type { HubMode } from '../sync/hub-machine.ts';
import type { Hub } from './hub.ts';
import type { RepoLoop } from './loop.ts';

export interface HubStatus {
  /** Name of the remote. */
  readonly name: string;
  readonly mode: HubMode;
  /** `in sync`, `ahead 2`, `behind 1`, `ahead 2, behind 1`, `sending` (its branches are the same, not yet what is written beside them),
   * `waiting`, `not there` (its medium is away), `unknown` (not asked yet). */
  readonly state: string;
  /** It is being fetched or pushed to. */
  readonly isBusy: boolean;
  /** Milliseconds since 1970: since when it waits. */
  readonly since?: number;
  /** Why it waits, and what ends it. */
  readonly words?: string;
  /** What waits of single branches, in words. */
  readonly waiting: readonly string[];
}

export function hubStatuses(loop: RepoLoop): Promise<HubStatus[]> {
  return Promise.all(loop.hubs.all.map((hub) => hubStatus(loop, hub)));
}

async function hubStatus(loop: RepoLoop, hub: Hub): Promise<HubStatus> {
  const { machine, remote, parts } = hub;
  const base = { name: remote, mode: parts.mode, isBusy: machine.isBusy, waiting: waitingOf(loop, hub) };
  if (!machine.isThere) return { ...base, state: 'not there', words: `${parts.path ?? remote} is not there; it is synced as soon as it is` };
  if (machine.trouble !== undefined) return { ...base, state: 'waiting', since: machine.trouble.since, words: machine.trouble.words };
  return { ...base, state: machine.isKnown ? await compare(hub) : 'unknown' };
}

/** What was not taken over, and what the hub declined. */
function waitingOf(loop: RepoLoop, { machine, remote }: Hub): string[] {
  const taken = loop.considering.waiting.filter(({ source }) => source === `hub:${remote}` || source.startsWith(`synced:${remote}/`));
  const declined = [...machine.declined].map(([ref, words]) => `${shorten(ref)}: declined there: ${words}`);
  return [...taken.map(({ ref, words }) => `${shorten(ref)}: ${words}`), ...declined];
}

async function compare(hub: Hub): Promise<string> {
  const { machine } = hub;
  let [ahead, behind] = [0, 0];
  for (const [ref, ours] of hub.tips) {
    const there = machine.hub.get(ref);
    if (!ref.startsWith('refs/heads/') || there === ours || ref.startsWith(SYNCED)) continue;
    ahead += there === undefined ? lackingCount(machine.wanted.some((update) => update.ref === ref)) : await count(hub, there, ours);
    behind += there === undefined ? 0 : await count(hub, ours, there);
  }
  const parts = [ahead > 0 ? `ahead ${ahead}` : '', behind > 0 ? `behind ${behind}` : ''].filter((part) => part !== '');
  if (parts.length > 0) return parts.join(', ');
  return machine.wanted.some(({ ref }) => !machine.declined.has(ref)) ? 'sending' : 'in sync';
}

/** A branch that the hub lacks counts as one, where it is to be made there. */
function lackingCount(isWanted: boolean): number {
  return isWanted ? 1 : 0;
}

/** Commits of `to` that `from` does not contain; one at least where that cannot be told, for they differ. */
function count({ parts }: Hub, from: Oid, to: Oid): Promise<number> {
  const { runGit, repository } = parts.context;
  return countCommits(runGit, repository, { from, to }).catch(() => 1);
}

function shorten(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}
