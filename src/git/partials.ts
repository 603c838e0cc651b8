// Slices of a map that has not arrived whole, kept under refs/xmpp/partial/<device>/ (docs/PROTOCOL.md, "Slices").
// Rule: few refs, each named by the day it came and its oid; what another one, or the map itself, leads to is let go.

import type { RunGit } from '../lib/git-run.ts';
import { parseRefName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { MAX_PARTIALS } from '../sync/slice-plan.ts';
import { inRepository } from './environment.ts';
import { areReachable, hasCommits } from './history.ts';
import { listRefs, updateRefs } from './refs.ts';
import type { RefMap, RefUpdate } from './refs.ts';
import type { Repository } from './repository.ts';

const DAY_MS = 86_400_000;
/** What a device began to send and did not end is kept this long. */
const KEPT_DAYS = 30;
const ROOT = 'refs/xmpp/partial/';

export interface PartialsDeps {
  readonly runGit: RunGit;
  readonly repository: Repository;
}

/** Where the slices of one sending device lie, without a last `/`. */
export function partialSpace(device: DeviceId): string {
  return `${ROOT}${device}`;
}

/** The ref that a push of a slice writes; the receiver gives it its lasting name. */
export function arrivingRef(device: DeviceId, index: number): RefName {
  return parseRefName(`${partialSpace(device)}/in-${index}`);
}

/** With the space itself, where a push made a ref of it: nothing could be written below. */
export function listPartials({ runGit, repository }: PartialsDeps, device: DeviceId): Promise<RefMap> {
  return listRefs(runGit, repository, [partialSpace(device)]);
}

/**
 * Gives what has just arrived its lasting name, and lets go of what that contains. Anything else that a push wrote there is removed.
 * @returns how many tips arrived
 */
export async function settlePartials(deps: PartialsDeps, device: DeviceId, now: number): Promise<number> {
  const all = await listPartials(deps, device);
  const arrived = [...all].filter(([ref]) => /\/in-\d{1,3}$/.test(ref)).map(([, oid]) => oid);
  const before = new Map([...all].filter(([ref]) => dayOf(ref) !== undefined).toSorted(([a], [b]) => Number(dayOf(b)) - Number(dayOf(a))));
  const kept = (await independent(deps, [...arrived, ...before.values()])).slice(0, MAX_PARTIALS);
  const wanted = new Map<RefName, Oid>();
  for (const oid of kept) {
    const known = [...before].find(([, each]) => each === oid)?.[0];
    wanted.set(known ?? parseRefName(`${partialSpace(device)}/${Math.floor(now / DAY_MS)}-${oid.slice(0, 16)}`), oid);
  }
  await replace(deps, all, wanted);
  return arrived.length;
}

/** Lets go of the slices that a device's map holds now: its objects need no other ref. */
export async function dropHeld(deps: PartialsDeps, { sender, map }: { readonly sender: DeviceId; readonly map: DeviceId }): Promise<void> {
  const all = await listPartials(deps, sender);
  const wanted = new Map<RefName, Oid>();
  for (const [ref, oid] of all) {
    const isHeld = await areReachable(deps.runGit, deps.repository, [oid], { from: ['refs/heads', 'refs/tags', `refs/xmpp/${map}`] });
    if (!isHeld) wanted.set(ref, oid);
  }
  await replace(deps, all, wanted);
}

/** Removes what nobody will go on with: of devices that are not paired, or older than 30 days. */
export async function removeStalePartials(deps: PartialsDeps, known: { readonly isPaired: (device: string) => boolean; readonly now: number }): Promise<void> {
  const all = await listRefs(deps.runGit, deps.repository, [ROOT]);
  const today = Math.floor(known.now / DAY_MS);
  const isFresh = (ref: RefName): boolean => {
    // What has no lasting name yet came in just before a crash.
    const day = dayOf(ref) ?? today;
    return day >= today - KEPT_DAYS && day <= today + 1;
  };
  const wanted = new Map([...all].filter(([ref]) => known.isPaired(ref.slice(ROOT.length).split('/', 1)[0] ?? '') && isFresh(ref)));
  await replace(deps, all, wanted);
}

/** Days since 1970 in a lasting name. */
function dayOf(ref: RefName): number | undefined {
  const day = /\/(\d{1,6})-[0-9a-f]{16}$/.exec(ref)?.[1];
  return day === undefined ? undefined : Number(day);
}

/** Those of `oids` that no other one contains, in their order; what is no commit contains nothing (git-merge-base(1)). */
async function independent({ runGit, repository }: PartialsDeps, oids: readonly Oid[]): Promise<readonly Oid[]> {
  const distinct = [...new Set(oids)];
  const commits = await hasCommits(runGit, repository, distinct);
  if (commits.size < 2) return distinct;
  const { stdout } = await runGit(['merge-base', '--independent', ...commits], inRepository(repository));
  const tips = new Set(stdout.split('\n'));
  return distinct.filter((oid) => !commits.has(oid) || tips.has(oid));
}

/** A race lost against another push of the same device is a fact: whoever settles next sees all. */
async function replace({ runGit, repository }: PartialsDeps, all: RefMap, wanted: RefMap): Promise<void> {
  const gone: RefUpdate[] = [...all].filter(([ref]) => !wanted.has(ref)).map(([ref, from]) => ({ ref, from, to: undefined }));
  const made: RefUpdate[] = [...wanted].filter(([ref]) => !all.has(ref)).map(([ref, to]) => ({ ref, from: undefined, to }));
  if (gone.length + made.length > 0) await updateRefs(runGit, repository, [...made, ...gone], { message: 'xmpp: slice' });
}
