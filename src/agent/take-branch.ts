// Takes over one branch of a device or a hub: facts from git, the plan of sync/, and what it says carried out (docs/ARCHITECTURE.md).
// Rule: a branch moves by the one safe path alone, and what a move leaves behind is kept, unless only automatic merges are.

import { asFault, Fault } from '../lib/errors.ts';
import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findBusy } from '../git/busy.ts';
import { moveBranch } from '../git/move.ts';
import { isAncestor, listRefs, updateRefs, wasLeft } from '../git/refs.ts';
import { workTreesOf } from '../git/worktrees.ts';
import { planBranch } from '../sync/plan.ts';
import type { BranchFacts, BranchPlan, WaitReason } from '../sync/plan.ts';
import type { Known, Moved, Tips, TipSource } from './consider-types.ts';
import { TREE_LIMITS } from './context.ts';
import type { RepoContext, Waiting } from './context.ts';
import { joinBranch } from './join-branch.ts';

const WORDS: Readonly<Record<WaitReason, (name: string) => string>> = {
  diverged: (name) => `both sides have commits that the other lacks; "git merge ${name}" or "git rebase ${name}" ends it`,
  undone: (name) => `you left that commit by a reset or amend; keep yours by committing on, or take theirs: git reset --keep ${name}`,
  rewritten: (name) => `it was rewritten there; take it with: git reset --keep ${name}`,
  'other-account': (name) => `another account's commits are not taken over by themselves; "git merge ${name}" takes them`,
  policy: () => 'xmpp.merge is none',
  'deleted-there': () => 'it was deleted there, and has commits of yours',
};

export interface BranchWork {
  readonly who: TipSource;
  readonly known: Known;
  readonly tips: Tips;
}

/** @returns nothing where nothing is to be done */
export async function takeBranch(context: RepoContext, work: BranchWork): Promise<{ readonly moved?: Moved } | { readonly wait: Waiting }> {
  const { who, known, tips } = work;
  if (tips.ours === tips.theirs) return {};
  // What may not be joined is only looked at, as it is where nothing ever is.
  const policy = isJoining(work) || known.policy.merge === 'none' ? known.policy : { ...known.policy, merge: 'ff' as const };
  const wait = (why: string, words: string): { wait: Waiting } => ({ wait: { source: who.id, ref: tips.ref, why, words } });
  // Whatever goes wrong with one branch holds up no other, and hides no move of another.
  try {
    const plan = planBranch(await readFacts(context, work), policy);
    if (plan.do === 'nothing') return {};
    if (plan.do === 'wait') return wait(plan.why, WORDS[plan.why](`${who.remote}/${tips.ref.slice('refs/heads/'.length)}`));
    if (plan.do === 'join') return await takeJoined(context, work, wait);
    const refusal = await carryOut(context, plan, tips);
    if (refusal !== undefined) return wait('busy', refusal);
    return { moved: { ref: tips.ref, from: tips.ours, to: tips.theirs, how: plan.do } };
  } catch (error) {
    return wait('failed', asFault(error, `moving ${tips.ref}`).message);
  }
}

function isJoining({ who, known: { policy } }: BranchWork): boolean {
  return policy.merge === 'merge' && (who.isOwn || policy.mergeFrom === 'all');
}

/** Moves the branch to what both tips make together. */
async function takeJoined(
  context: RepoContext,
  { who, known, tips }: BranchWork,
  wait: (why: string, words: string) => { readonly wait: Waiting },
): Promise<{ readonly moved?: Moved } | { readonly wait: Waiting }> {
  const { ref, ours, theirs } = tips;
  if (ours === undefined || theirs === undefined) return {};
  const joined = await joinBranch(context, { ref, ours, theirs, isHub: who.id.startsWith('hub:') }, known);
  if (joined === undefined) return {};
  if ('waits' in joined) return wait('unmerged', joined.waits);
  const { to, how, variants } = joined;
  if (joined.isOldKept) await keepTip(context, ref, ours);
  const refusal = await move(context, { ref, from: ours, to, how });
  if (refusal !== undefined) return wait('busy', refusal);
  return { moved: { ref, from: ours, to, how, ...(variants.length === 0 ? {} : { variants }) } };
}

/** @returns why it could not be done now, or undefined when done */
async function carryOut(context: RepoContext, plan: Extract<BranchPlan, { readonly do: Exclude<Moved['how'], 'merge'> }>, tips: Tips): Promise<string | undefined> {
  const { ref, ours, theirs } = tips;
  const { runGit, repository } = context;
  if (plan.do === 'create' || plan.do === 'delete') {
    const inUse = plan.do === 'delete' ? await whyInUse(context, ref) : undefined;
    if (inUse !== undefined) return `it was deleted there, but here ${inUse}`;
    const done = await updateRefs(runGit, repository, [{ ref, from: ours, to: theirs }], { message: `xmpp: ${plan.do}` });
    return done === 'done' ? undefined : 'the branch moved meanwhile';
  }
  if (theirs === undefined) return undefined;
  if (plan.do === 'follow' && ours !== undefined) await keepTip(context, ref, ours);
  return move(context, { ref, from: ours, to: theirs, how: plan.do });
}

/** By the one safe path. @returns why not now */
async function move(context: RepoContext, { ref, from, to, how }: Pick<Moved, 'ref' | 'from' | 'how'> & { readonly to: Oid }): Promise<string | undefined> {
  const { stateDir } = context;
  const result = await moveBranch(context, context.repository, { branch: ref, from, to, stateDir, limits: TREE_LIMITS, message: how });
  return 'waits' in result ? result.waits : undefined;
}

/** Why nobody may take a branch away now: without it a work tree would stand on nothing. */
async function whyInUse({ repository }: RepoContext, branch: RefName): Promise<string | undefined> {
  const tree = (await workTreesOf(repository)).find((each) => each.branch === branch);
  return tree === undefined ? findBusy(repository, { branch }) : `it is checked out in ${tree.path}`;
}

/** What a rewrite leaves behind stays reachable under refs/xmpp/kept/. @throws Fault `git` when it does not: then nothing may move */
async function keepTip({ runGit, repository }: RepoContext, ref: RefName, tip: Oid): Promise<void> {
  const kept = parseRefName(`refs/xmpp/kept/${ref.slice('refs/heads/'.length)}-${tip.slice(0, 12)}`);
  const done = await updateRefs(runGit, repository, [{ ref: kept, from: undefined, to: tip }], { message: 'xmpp: kept' });
  if (done === 'done' || (await listRefs(runGit, repository, [kept])).get(kept) === tip) return;
  throw new Fault('git', `${kept} is locked, or another commit's: what the branch leaves could not be kept`);
}

async function readFacts({ runGit, repository, objects }: RepoContext, work: BranchWork): Promise<BranchFacts> {
  const { who, tips } = work;
  const { ours, theirs, acted, ref, isUnborn } = tips;
  const base = { ours, theirs, acted, isUnborn, isOwnDevice: who.isOwn };
  // A join reads the commits itself, and asks no reflog.
  if (isJoining(work)) return { ...base, relation: 'diverged', isOursInActed: false, wasLeft: false };
  const isWithin = (older: Oid | undefined, newer: Oid | undefined): Promise<boolean> => {
    if (older === undefined || newer === undefined) return Promise.resolve(false);
    return older === newer ? Promise.resolve(true) : isAncestor(runGit, repository, { older, newer, objects }).catch(() => false);
  };
  const mayLeave = ours !== undefined && theirs !== undefined;
  const [isBehind, hasLeft] = await Promise.all([
    isWithin(ours, theirs),
    mayLeave && wasLeft(runGit, repository, { branch: ref, tip: theirs, at: ours, objects }),
  ]);
  const isAhead = !isBehind && (await isWithin(theirs, ours));
  return {
    ...base,
    relation: isBehind ? 'behind' : isAhead ? 'ahead' : 'diverged',
    isOursInActed: !isBehind && (await isWithin(ours, acted)),
    wasLeft: !isAhead && hasLeft,
  };
}
