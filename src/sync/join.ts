// How n devices end at one commit (docs/CONVERGENCE.md, "The join"). Rule: a tip stands for the antichain of its solid commits, and joining
// two tips is the maximal elements of the union of theirs: a join-semilattice, so any order of arrival ends at the same antichain.

import type { Oid } from '../lib/names.ts';

/** A branch's tip and what it stands for: the parents of an automatic merge, else the tip itself. */
export interface Tip {
  readonly oid: Oid;
  /** At least one, without order. */
  readonly solids: readonly Oid[];
}

/** What a branch is to be after both tips are known. */
export type Joined =
  /** Ours says it all. */
  | { readonly do: 'keep' }
  /** Theirs, or a single solid commit of either, says it all. */
  | { readonly do: 'move'; readonly to: Oid }
  /** One automatic merge of just these parents, in ascending order. */
  | { readonly do: 'merge'; readonly parents: readonly Oid[] };

/**
 * The solid commits of both that count: those that a person left on purpose do not, unless all were left.
 * @param isLeft whether a commit was left by an amend, rebase or reset of this branch
 */
export function joinCandidates(ours: Tip, theirs: Tip, isLeft: (oid: Oid) => boolean): Oid[] {
  const union = [...new Set([...ours.solids, ...theirs.solids])];
  const kept = union.filter((oid) => !isLeft(oid));
  return (kept.length === 0 ? union : kept).toSorted();
}

/**
 * Decides for one branch.
 * @param maximal of `joinCandidates`, those that no other of them contains
 */
export function decideJoin(ours: Tip, theirs: Tip, maximal: readonly Oid[]): Joined {
  const parents = maximal.toSorted();
  const isAll = ({ solids }: Tip): boolean => solids.length === parents.length && solids.toSorted().every((oid, index) => oid === parents[index]);
  // Two gits may write the same merge differently: the smaller oid stands for both.
  if (isAll(ours)) return isAll(theirs) && theirs.oid < ours.oid ? { do: 'move', to: theirs.oid } : { do: 'keep' };
  if (isAll(theirs)) return { do: 'move', to: theirs.oid };
  const [only] = parents;
  return parents.length === 1 && only !== undefined ? { do: 'move', to: only } : { do: 'merge', parents };
}
