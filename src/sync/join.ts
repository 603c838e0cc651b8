// How n devices end at one commit (docs/CONVERGENCE.md, "The join"). Rule: a tip stands for the antichain of its solid commits, and joining
// two tips is the maximal elements of the union of theirs: a join-semilattice, so any order of arrival ends at the same antichain.

import type { Oid } from '../lib/names.ts';

/**
 * A branch's tip and what it stands for: the parents of an automatic merge, else the tip itself. A hub's tip is solid even where it is
 * an automatic merge, and so is one that the book marks as held by a hub (`isHeld` of left-format.ts).
 */
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
 * Whether a hub stands on a merge that ours is too, written by another git. The smaller oid would lead away from it, and the hub back, for
 * ever; so the hub's is to be marked in the book as held (left-format.ts), and is solid for everybody from then on.
 * @param hub with the parents of the automatic merge as `solids`
 */
export function isRival(ours: Tip, hub: Tip): boolean {
  return ours.oid !== hub.oid && ours.solids.length > 1 && isSame(ours.solids, hub.solids);
}

/**
 * Decides for one branch.
 * @param maximal of `joinCandidates`, those that no other of them contains
 */
export function decideJoin(ours: Tip, theirs: Tip, maximal: readonly Oid[]): Joined {
  const parents = maximal.toSorted();
  const isAll = ({ solids }: Tip): boolean => isSame(solids, parents);
  // Two gits may write the same merge differently: the smaller oid stands for both.
  if (isAll(ours)) return isAll(theirs) && theirs.oid < ours.oid ? { do: 'move', to: theirs.oid } : { do: 'keep' };
  if (isAll(theirs)) return { do: 'move', to: theirs.oid };
  const [only] = parents;
  return parents.length === 1 && only !== undefined ? { do: 'move', to: only } : { do: 'merge', parents };
}

function isSame(one: readonly Oid[], other: readonly Oid[]): boolean {
  const sorted = other.toSorted();
  return one.length === sorted.length && one.toSorted().every((oid, index) => oid === sorted[index]);
}
