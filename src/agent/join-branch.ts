// Joins two tips of a branch under `xmpp.merge = merge` (docs/CONVERGENCE.md, "The join"): reads what they stand for, and makes the merge where one
// is needed. Rule: what is decided is decided in sync/join.ts, from commits and the book of left commits alone; nothing moves here.

import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from '../git/environment.ts';
import { foldParents } from '../git/fold.ts';
import { isAncestor } from '../git/refs.ts';
import { maximalOf, readTips } from '../git/tips.ts';
import type { ReadTip } from '../git/tips.ts';
import { diffTrees } from '../git/tree-diff.ts';
import { VARIANT } from '../git/variants.ts';
import { decideJoin, joinCandidates } from '../sync/join.ts';
import { isHeld, isLeft } from '../sync/left-format.ts';
import type { Known } from './consider-types.ts';
import { TREE_LIMITS } from './context.ts';
import type { RepoContext } from './context.ts';

export interface JoinAsked {
  readonly ref: RefName;
  readonly ours: Oid;
  readonly theirs: Oid;
  /** A hub's tip is solid whatever it is: a hub only goes forward. */
  readonly isHub: boolean;
}

/** Where the branch is to go. */
export interface JoinTarget {
  readonly to: Oid;
  /** `merge` to an automatic merge, `follow` where something that a person left is left here too. */
  readonly how: 'fast-forward' | 'merge' | 'follow';
  /** Whether our tip leads to more than automatic merges that `to` does not hold. */
  readonly isOldKept: boolean;
  /** Files of other sides that come with an automatic merge. */
  readonly variants: readonly string[];
}

const MAX_VARIANTS = 100;

/** @returns undefined where ours says it all; `waits` where a person has to merge. @throws Fault `git` */
export async function joinBranch(context: RepoContext, asked: JoinAsked, known: Known): Promise<JoinTarget | { readonly waits: string } | undefined> {
  const [own, found] = await readTips(context, [asked.ours, asked.theirs]);
  if (own === undefined || found === undefined) return undefined;
  const solid = (tip: ReadTip, isHub: boolean): ReadTip => (isHub || isHeld(known.book, asked.ref, tip.oid) ? { ...tip, solids: [tip.oid] } : tip);
  const [ours, theirs] = [solid(own, false), solid(found, asked.isHub)];
  const isGone = (oid: Oid): boolean => isLeft(known.book, asked.ref, oid);
  const candidates = joinCandidates(ours, theirs, isGone);
  const joined = decideJoin(ours, theirs, await maximalOf(context, candidates, [ours, theirs]));
  if (joined.do === 'keep') return undefined;
  let to = joined.do === 'move' ? joined.to : undefined;
  if (joined.do === 'merge') {
    const folded = await foldParents(context, joined.parents, { limits: TREE_LIMITS, mayMergeUnrelated: known.policy.mayMergeUnrelated });
    if ('waits' in folded) return folded;
    to = folded.commit;
  }
  if (to === undefined || to === ours.oid) return undefined;
  const isMerge = joined.do === 'merge' || (to === theirs.oid && found.isAutomatic);
  // Candidates hold all that ours stands for, and so does what was made of them; unless some of it was left.
  const isOldKept = ours.solids.some((oid) => !candidates.includes(oid)) && !(await isForward(context, ours.oid, to));
  const variants = isMerge ? await newVariants(context, ours.oid, to) : [];
  return { to, how: isOldKept ? 'follow' : isMerge ? 'merge' : 'fast-forward', isOldKept, variants };
}

function isForward({ runGit, repository, objects }: RepoContext, older: Oid, newer: Oid): Promise<boolean> {
  return isAncestor(runGit, repository, { older, newer, objects });
}

/** The same on the device that made the merge and on those that took it over; none of a tree that is too large to be moved to. */
async function newVariants({ startGit, repository, objects }: RepoContext, from: Oid, to: Oid): Promise<string[]> {
  const diff = await diffTrees(startGit, inRepository(repository), { from, to, limits: TREE_LIMITS, objects });
  const added = 'over' in diff ? [] : diff.changes.filter(({ kind }) => kind === 'added');
  return added.map(({ path }) => path.toString('utf8')).filter((path) => VARIANT.test(path)).slice(0, MAX_VARIANTS);
}
