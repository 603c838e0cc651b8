// How the branches here stand to a peer's (docs/git-xmpp.1, "status"). Rule: where both have commits that the other lacks, both say which, and the
// command that ends it; bounded, whatever a peer has.

import type { Oid, RefName } from '../lib/names.ts';
import { newestCommits } from '../git/commit-list.ts';
import type { CommitLine } from '../git/commit-list.ts';
import { countCommits, isAncestor } from '../git/refs.ts';
import { readGitConfig } from '../git/repository.ts';
import { workTreesOf } from '../git/worktrees.ts';
import type { Peer } from '../home/peers.ts';
import type { RepoLoop } from './loop.ts';
import { findRemote, urlOf } from './mirror.ts';

/** How one branch here stands to the same branch on a peer. */
export interface BranchStatus {
  readonly branch: string;
  readonly state: 'in sync' | 'ahead' | 'behind' | 'diverged';
  /** Commits that the peer lacks, and that are lacking here. */
  readonly ahead: number;
  readonly behind: number;
  /** Where it has diverged: the newest commits of each side, at most 3. */
  readonly here?: readonly CommitLine[];
  readonly there?: readonly CommitLine[];
  /** The command that ends it; absent where `xmpp.merge` ends it by itself, or what waits says another. */
  readonly end?: string;
}

type Stand = Pick<BranchStatus, 'state' | 'ahead' | 'behind'>;

const MAX_COMMITS = 3;
/** Branches of which the commits are listed. */
const MAX_DIVERGED = 20;

/** Compares all branches that both have. */
export async function compareBranches(
  loop: RepoLoop,
  { ours, theirs, peer }: { readonly ours: ReadonlyMap<RefName, Oid>; readonly theirs: ReadonlyMap<RefName, Oid>; readonly peer: Peer },
): Promise<BranchStatus[]> {
  const result: BranchStatus[] = [];
  let diverged = 0;
  for (const [ref, tip] of ours) {
    const other = theirs.get(ref);
    if (!ref.startsWith('refs/heads/') || other === undefined) continue;
    const stand = await relate(loop, tip, other);
    if (stand.state === 'diverged') diverged += 1;
    const isListed = stand.state === 'diverged' && diverged <= MAX_DIVERGED;
    const sides = isListed ? await whoHasWhat(loop, { ref, ours: tip, theirs: other, peer }) : {};
    result.push({ branch: ref.slice('refs/heads/'.length), ...stand, ...sides });
  }
  return result;
}

async function relate({ context }: RepoLoop, ours: Oid, theirs: Oid): Promise<Stand> {
  if (ours === theirs) return { state: 'in sync', ahead: 0, behind: 0 };
  const { runGit, repository } = context;
  const isBehind = await isAncestor(runGit, repository, { older: ours, newer: theirs });
  const isAhead = !isBehind && (await isAncestor(runGit, repository, { older: theirs, newer: ours }));
  const ahead = isBehind ? 0 : await countCommits(runGit, repository, { from: theirs, to: ours });
  const behind = isAhead ? 0 : await countCommits(runGit, repository, { from: ours, to: theirs });
  return { state: isBehind ? 'behind' : isAhead ? 'ahead' : 'diverged', ahead, behind };
}

interface Diverged {
  readonly ref: RefName;
  readonly ours: Oid;
  readonly theirs: Oid;
  readonly peer: Peer;
}

async function whoHasWhat(loop: RepoLoop, { ref, ours, theirs, peer }: Diverged): Promise<Pick<BranchStatus, 'here' | 'there' | 'end'>> {
  const { runGit, repository } = loop.context;
  const [here, there, { policy }] = await Promise.all([
    newestCommits(runGit, repository, { from: theirs, to: ours, max: MAX_COMMITS }),
    newestCommits(runGit, repository, { from: ours, to: theirs, max: MAX_COMMITS }),
    loop.policies.read(),
  ]);
  const other = loop.considering.waiting.find((each) => each.source === peer.device && each.ref === ref && each.why !== 'diverged');
  if (policy.merge === 'merge' || other !== undefined) return { here, there };
  return { here, there, end: await commandFor(loop, { ref, theirs, peer }) };
}

/** What a person types here; a branch that is not checked out is switched to first. */
async function commandFor({ context, considering }: RepoLoop, { ref, theirs, peer }: Omit<Diverged, 'ours'>): Promise<string> {
  const { runGit, repository, shared } = context;
  const branch = ref.slice('refs/heads/'.length);
  const url = considering.remoteUrls.get(peer.device) ?? urlOf(peer.petname, shared().name);
  const remote = findRemote(await readGitConfig(runGit, repository), url);
  const isPlain = /^[\w./+-]+$/.test(branch);
  // The mirror's name reads better; a name that a shell would take apart does not.
  const merge = `git merge ${remote === undefined || !isPlain ? theirs : `${remote}/${branch}`}`;
  const isOut = (await workTreesOf(repository)).some((tree) => tree.branch === ref);
  return isOut || !isPlain || repository.isBare ? merge : `git switch ${branch} && ${merge}`;
}
