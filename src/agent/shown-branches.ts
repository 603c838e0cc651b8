// Which branches of a shared repository are for a peer: those that the sharing names, and of those the ones that its grant names (docs/git-xmpp.1, `share
// --branches`, `grant --branches`). Rule: one answer for fetch, push, what is listed and whose tips move branches here.

import { branchesMatching } from '../git/services.ts';
import { grantedBranches, grantOf } from '../home/repos.ts';
import type { SharedRepo } from '../home/repos.ts';
import type { Peer } from '../home/peers.ts';
import { isGranted } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';

type PeerOf = Pick<Peer, 'device' | 'jid' | 'kind'>;
type Refs = Parameters<typeof branchesMatching>[1];

/** Whether a peer's grant is for some branches alone. Maps are signed whole, so none of ours is told to it, and none passed on. */
export function isLimited(shared: SharedRepo, peer: PeerOf): boolean {
  return grantedBranches(shared, peer).length > 0;
}

/** Whether maps of other devices are passed on: they are signed whole, so not where only some branches are shown. */
export function isRelaying(shared: SharedRepo): boolean {
  return shared.branches.length === 0;
}

/** Whether a peer is told of maps, by offers, announcements and digests. */
export function isToldMaps(shared: SharedRepo, peer: PeerOf): boolean {
  return isGranted(grantOf(shared, peer), 'read') && !isLimited(shared, peer);
}

/**
 * Short names of the branches that are for a peer.
 * @param list the branches there are; git is asked for them only where not all are shown
 * @returns undefined where all are
 */
export async function shownTo(shared: SharedRepo, peer: PeerOf, list: () => Promise<Refs>): Promise<readonly string[] | undefined> {
  const globs = globsFor(shared, peer);
  return globs.length === 0 ? undefined : globs.reduce((names, each) => namesOf(each, names), branchesMatching(['*'], await list()));
}

/** Whether a branch, existing or not, is for a peer; other refs are not asked about. */
export function isShownTo(shared: SharedRepo, peer: PeerOf, ref: string): boolean {
  return globsFor(shared, peer).every((globs) => !ref.startsWith('refs/heads/') || branchesMatching(globs, new Map([[ref, '']])).length > 0);
}

/** Lists of globs: a branch has to match one of each. */
export function globsFor(shared: SharedRepo, peer: PeerOf): readonly (readonly string[])[] {
  return [shared.branches, grantedBranches(shared, peer)].filter((globs) => globs.length > 0);
}

function namesOf(globs: readonly string[], names: readonly string[]): string[] {
  return branchesMatching(globs, new Map(names.map((name) => [`refs/heads/${name}`, ''])));
}

/** Maps that are told to a peer: where its grant names branches, its own alone, so that it knows what has arrived. */
export function mapsFor({ context, engine }: { readonly context: { readonly shared: () => SharedRepo }; readonly engine: { readonly maps: ReadonlyMap<DeviceId, number> } }, peer: PeerOf): ReadonlyMap<DeviceId, number> {
  return isLimited(context.shared(), peer) ? new Map([...engine.maps].filter(([device]) => device === peer.device)) : engine.maps;
}
