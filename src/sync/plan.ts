// What to do with one branch when a device's tip of it is known (docs/ARCHITECTURE.md).
// Rule: nobody's work is overwritten; what is not surely safe waits, and says why.

import type { Oid } from '../lib/names.ts';

/** `xmpp.merge`, `xmpp.mergeFrom`, `xmpp.rewrite` of one repository. */
export interface Policy {
  readonly merge: 'ff' | 'merge' | 'none';
  readonly mergeFrom: 'own' | 'all';
  readonly rewrite: 'follow' | 'ask';
  /** `share --folder`: a new branch of a device is made here too. */
  readonly isFolder: boolean;
}

/** What is known of one branch here and on one device. */
export interface BranchFacts {
  readonly ours: Oid | undefined;
  readonly theirs: Oid | undefined;
  /** The tip of that device which was last acted on here. */
  readonly acted: Oid | undefined;
  /** Ours seen from theirs; meaningful when both tips exist. */
  readonly relation: 'same' | 'behind' | 'ahead' | 'diverged';
  /** Whether ours is contained in `acted`: nothing of our own lies on top of it. */
  readonly isOursInActed: boolean;
  /** Whether our reflog shows that we left `theirs` by a reset, amend or rebase. */
  readonly wasLeft: boolean;
  /** Whether HEAD names this branch here and nothing was committed yet: of all absent ones the one that is wanted. */
  readonly isUnborn: boolean;
  readonly isOwnDevice: boolean;
}

export type WaitReason = 'diverged' | 'undone' | 'rewritten' | 'other-account' | 'policy' | 'deleted-there';

export type BranchPlan =
  | { readonly do: 'nothing'; readonly because: 'same' | 'ahead' | 'absent' | 'deleted-both' }
  | { readonly do: 'create' }
  | { readonly do: 'fast-forward' }
  /** Move to a rewritten tip, keeping the old one under refs/xmpp/kept/. */
  | { readonly do: 'follow' }
  /** Join both tips (join.ts): forward, a merge, or a smaller one of two equal merges. */
  | { readonly do: 'join' }
  | { readonly do: 'delete' }
  | { readonly do: 'wait'; readonly why: WaitReason };

/** Decides for one branch; the caller carries it out by the one safe path. */
export function planBranch(facts: BranchFacts, policy: Policy): BranchPlan {
  if (facts.theirs === undefined) return planDeleted(facts, policy);
  if (facts.ours === undefined) return planAbsent(facts, policy);
  // What was left is known to the join itself, from every device and not from our reflog alone.
  if (policy.merge === 'merge' && facts.relation !== 'same') return allow({ ...facts, wasLeft: false }, policy) ?? { do: 'join' };
  switch (facts.relation) {
    case 'same':
      return { do: 'nothing', because: 'same' };
    case 'ahead':
      return planAhead(facts, policy);
    case 'behind':
      return allow(facts, policy) ?? { do: 'fast-forward' };
    case 'diverged':
      return planDiverged(facts, policy);
  }
}

/** What was acted on once and is not here any more was taken away by its person. */
function planAbsent(facts: BranchFacts, policy: Policy): BranchPlan {
  if (facts.acted !== undefined) return { do: 'nothing', because: 'absent' };
  if (facts.isUnborn) return allow(facts, policy) ?? { do: 'fast-forward' };
  const isNew = policy.isFolder && policy.merge !== 'none' && isTrusted(facts, policy);
  return isNew ? { do: 'create' } : { do: 'nothing', because: 'absent' };
}

/** A tip behind ours is old news, unless that device went back to it on purpose and we hold only what it dropped. */
function planAhead(facts: BranchFacts, policy: Policy): BranchPlan {
  const isRewind = facts.acted !== undefined && facts.acted !== facts.theirs && facts.isOursInActed;
  if (!isRewind) return { do: 'nothing', because: 'ahead' };
  return allow(facts, policy) ?? follow(policy);
}

function planDiverged(facts: BranchFacts, policy: Policy): BranchPlan {
  const refused = allow(facts, policy);
  if (refused !== undefined) return refused;
  const isRewrite = facts.acted !== undefined && facts.isOursInActed;
  return isRewrite ? follow(policy) : { do: 'wait', why: 'diverged' };
}

function planDeleted(facts: BranchFacts, policy: Policy): BranchPlan {
  if (facts.ours === undefined) return { do: 'nothing', because: 'deleted-both' };
  if (facts.acted === undefined) return { do: 'nothing', because: 'absent' };
  if (!isTrusted(facts, policy) || policy.merge === 'none') return { do: 'nothing', because: 'absent' };
  return facts.ours === facts.acted ? { do: 'delete' } : { do: 'wait', why: 'deleted-there' };
}

/** The plan that stops any move, or undefined when moving is allowed. */
function allow(facts: BranchFacts, policy: Policy): BranchPlan | undefined {
  if (policy.merge === 'none') return { do: 'wait', why: 'policy' };
  if (!isTrusted(facts, policy)) return { do: 'wait', why: 'other-account' };
  if (facts.wasLeft) return { do: 'wait', why: 'undone' };
  return undefined;
}

function follow(policy: Policy): BranchPlan {
  return policy.rewrite === 'follow' ? { do: 'follow' } : { do: 'wait', why: 'rewritten' };
}

function isTrusted(facts: BranchFacts, policy: Policy): boolean {
  return facts.isOwnDevice || policy.mergeFrom === 'all';
}
