// What a push between agents may build on, so that nothing goes where it is already (docs/PROTOCOL.md, "Maps"). Rule: the receiver tells of, and takes for a
// base, what refs lead to whose maps the sender is told of anyway, and nothing else: an object that is here by itself may not be whole.

import type { DeviceId, Oid } from '../lib/names.ts';
import { listPartials, partialSpace } from '../git/partials.ts';
import { hasCommits, listRefs, newestOf, reachableOf } from '../git/refs.ts';
import type { RefMap } from '../git/refs.ts';
import { edgeOf, sortTips } from '../git/steps.ts';
import type { Peer } from '../home/peers.ts';
import type { SharedRepo } from '../home/repos.ts';
import { MAX_BASES } from '../link/http-format.ts';
import { LEFT_REF } from '../sync/record-format.ts';
import type { RepoContext } from './context.ts';
import { cornerOf } from './maps-format.ts';
import { globsFor, isRelaying, isShownTo, isToldMaps } from './shown-branches.ts';

/** Of the tips that are told so many of slices and of maps come first, so that no kind keeps the others out. */
const FIRST = MAX_BASES / 2;

/** Devices whose maps `sender` is told of, among them its own: it knows that one, whatever it may see. */
function devicesFor({ shared, maps }: RepoContext, sender: Peer): ReadonlySet<DeviceId> {
  const others = isRelaying(shared()) && isToldMaps(shared(), sender) ? maps.counters.keys() : [];
  return new Set([sender.device, ...others]);
}

/** Globs of what is held of the maps that `sender` is told of, and of its own slices. */
export function spacesFor(context: RepoContext, sender: Peer): string[] {
  const corners = [...devicesFor(context, sender)].flatMap((device) => [`refs/xmpp/${device}/heads/*`, `refs/xmpp/${device}/tags/*`]);
  return [`${partialSpace(sender.device)}/*`, ...corners];
}

/** The branches that `sender` may see beside `from`: all by one glob, where none is hidden. */
async function withBranches({ runGit, repository, shared }: RepoContext, sender: Peer, from: readonly string[]): Promise<{ readonly from: readonly string[]; readonly tips?: readonly Oid[] }> {
  if (globsFor(shared(), sender).length === 0) return { from: ['refs/heads/*', ...from] };
  return { from, tips: branchesFor(await listRefs(runGit, repository, ['refs/heads/']), shared(), sender) };
}

function branchesFor(refs: RefMap, shared: SharedRepo, sender: Peer): Oid[] {
  return [...refs].filter(([ref]) => ref.startsWith('refs/heads/') && isShownTo(shared, sender, ref)).map(([, oid]) => oid);
}

/** Those of the bases that lead from what `sender` is told of, or has sent: told as `.have`, they are seen and cannot be written. A ref that went on since leads to them still. */
export async function havesOf(context: RepoContext, bases: readonly Oid[], sender: Peer): Promise<readonly Oid[]> {
  if (bases.length === 0) return [];
  return [...(await reachableOf(context.runGit, context.repository, bases, await withBranches(context, sender, spacesFor(context, sender))))];
}

/**
 * What a push of the map of `device` by `sender` may build on, at most 16: slices that it sent before; what it asks about, as far as that is here; what is held of
 * that map and of the sender's own, which is all where a device moves no branch; those of our branches that it may see. The newest first, for they lead to most.
 */
export async function tipsFor(context: RepoContext, sender: Peer, { device, maybe }: { readonly device: DeviceId; readonly maybe: readonly Oid[] }): Promise<readonly Oid[]> {
  const { runGit, repository } = context;
  const devices = [...devicesFor(context, sender)].filter((each) => each === sender.device || each === device);
  const slices = [...(await listPartials(context, sender.device)).values()].toReversed();
  const refs = await listRefs(runGit, repository, ['refs/heads/', ...devices.map((each) => `refs/xmpp/${each}/`)]);
  const seen = branchesFor(refs, context.shared(), sender);
  const [said, ours] = [await newestTips(context, devices.flatMap((each) => saidBy(refs, each))), await newestTips(context, seen)];
  const asked = await havesOf(context, maybe, sender);
  return [...new Set([...slices.slice(0, FIRST), ...asked, ...said.slice(0, FIRST), ...ours, ...slices, ...said])].slice(0, MAX_BASES);
}

/** Branches and tags that a map names, as its corner has them. */
function saidBy(refs: RefMap, device: DeviceId): Oid[] {
  return [...cornerOf(refs, device)].filter(([ref]) => ref !== LEFT_REF).map(([, oid]) => oid);
}

/** Commits, tags peeled. */
async function newestTips({ runGit, repository }: RepoContext, oids: readonly Oid[]): Promise<readonly Oid[]> {
  return newestOf(runGit, repository, (await sortTips(runGit, repository, oids)).commits, MAX_BASES);
}

/**
 * As many of `bases` as can be named before a push of `tips`: where there are more, the commits first that the news follows on, for those are all that it builds on.
 * @param shown what the receiver shows by itself
 */
export async function nameableBases({ runGit, repository }: RepoContext, tips: readonly Oid[], bases: readonly Oid[], shown: Iterable<Oid> = []): Promise<readonly Oid[]> {
  if (bases.length <= MAX_BASES) return bases;
  const [{ commits }, roots] = [await sortTips(runGit, repository, tips), await hasCommits(runGit, repository, [...bases, ...shown])];
  // Of a history that cannot be walked, or is too long for it, any will do: what is not named is sent.
  const edge = await edgeOf(runGit, repository, { tips: commits, bases: [...roots] }).catch(() => []);
  return [...new Set([...edge, ...bases])].slice(0, MAX_BASES);
}
