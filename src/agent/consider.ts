// Compares the branches here with one device's map, or a hub, and moves what may be moved (docs/ARCHITECTURE.md). Rule: the plan decides, the one safe
// path moves, and whatever does not move is named with its reason; a tip counts as acted on only when nothing of it waits.

import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { isAncestor, updateRefs, wasLeft } from '../git/refs.ts';
import type { RefMap } from '../git/refs.ts';
import { moveBranch } from '../git/move.ts';
import { findBusy } from '../git/busy.ts';
import { headBranch, workTreesOf } from '../git/worktrees.ts';
import { diffMaps } from '../sync/map-format.ts';
import { planBranch } from '../sync/plan.ts';
import type { BranchFacts, BranchPlan, Policy, WaitReason } from '../sync/plan.ts';
import { TREE_LIMITS } from './context.ts';
import type { RepoContext, SourceId, Waiting } from './context.ts';

/** Whose tips are considered: a device's, as its map has them, or a hub's. */
export interface TipSource {
  /** A device, or `hub:<remote>`. */
  readonly id: SourceId;
  /** What git calls it in this repository. */
  readonly remote: string;
  /** An own device, or a hub: its tips may move branches. */
  readonly isOwn: boolean;
  readonly refs: RefMap;
  /** The tips that were last acted on here, by branch. */
  readonly acted: Readonly<Record<string, string>>;
  setActed(tips: Readonly<Record<string, string>>): Promise<void>;
}

/** A branch that moved here. */
export interface Moved {
  readonly ref: RefName;
  readonly from: Oid | undefined;
  readonly to: Oid | undefined;
  readonly how: 'fast-forward' | 'follow' | 'create' | 'delete' | 'tag';
}

export interface Outcome {
  readonly moved: readonly Moved[];
  readonly waiting: readonly Waiting[];
  /** What went wrong beside, such as a full disk; it does not undo the moves. */
  readonly problem?: Fault;
}

const WORDS: Readonly<Record<WaitReason, (name: string) => string>> = {
  diverged: (name) => `both sides have commits that the other lacks; "git merge ${name}" or "git rebase ${name}" ends it`,
  undone: (name) => `you left that commit by a reset or amend; keep yours by committing on, or take theirs: git reset --keep ${name}`,
  rewritten: (name) => `it was rewritten there; take it with: git reset --keep ${name}`,
  'other-account': (name) => `another account's commits are not taken over by themselves; "git merge ${name}" takes them`,
  policy: () => 'xmpp.merge is none',
  'deleted-there': () => 'it was deleted there, and has commits of yours',
};

/**
 * Carries out what the plan says for each branch and tag of a device's map.
 * @param known.ours the branches and tags as last looked at: where they have moved since, nothing is done and the next look tries again
 */
export async function consider(context: RepoContext, who: TipSource, known: { readonly policy: Policy; readonly ours: RefMap }): Promise<Outcome> {
  const { policy, ours } = known;
  const { refs: theirs, acted } = who;
  const tags = await takeTags(context, who, { ours, theirs });
  const moved: Moved[] = [...tags.moved];
  const waiting: Waiting[] = [...tags.waiting];
  const settled: Record<string, string> = {};
  const unborn = await unbornBranch(context, ours);
  const names = new Set([...theirs.keys(), ...Object.keys(acted).map(parseRefName)]);
  for (const ref of [...names].filter((each) => each.startsWith('refs/heads/'))) {
    const tips = { ref, ours: ours.get(ref), theirs: theirs.get(ref), acted: parseActed(acted[ref]), isUnborn: ref === unborn };
    const result = await takeBranch(context, { who, policy, tips });
    if ('wait' in result) waiting.push(result.wait);
    else if (result.moved !== undefined) moved.push(result.moved);
    const keep = 'wait' in result ? tips.acted : tips.theirs;
    if (keep !== undefined) settled[ref] = keep;
  }
  const problem = await who.setActed(settled).then(
    () => undefined,
    (error: unknown) => asFault(error, 'noting what was taken over'),
  );
  return { moved, waiting, ...(problem === undefined ? {} : { problem }) };
}

interface Tips {
  readonly ref: RefName;
  readonly ours: Oid | undefined;
  readonly theirs: Oid | undefined;
  readonly acted: Oid | undefined;
  readonly isUnborn: boolean;
}

interface BranchWork {
  readonly who: TipSource;
  readonly policy: Policy;
  readonly tips: Tips;
}

async function takeBranch(context: RepoContext, { who, policy, tips }: BranchWork): Promise<{ moved?: Moved } | { wait: Waiting }> {
  if (tips.ours === tips.theirs) return {};
  const plan = planBranch(await readFacts(context, who, tips), policy);
  const wait = (why: string, words: string): { wait: Waiting } => ({ wait: { source: who.id, ref: tips.ref, why, words } });
  if (plan.do === 'nothing' || plan.do === 'join') return {};
  if (plan.do === 'wait') return wait(plan.why, WORDS[plan.why](`${who.remote}/${tips.ref.slice('refs/heads/'.length)}`));
  try {
    const refusal = await carryOut(context, plan, tips);
    if (refusal !== undefined) return wait('busy', refusal);
  } catch (error) {
    return wait('failed', asFault(error, `moving ${tips.ref}`).message);
  }
  return { moved: { ref: tips.ref, from: tips.ours, to: tips.theirs, how: plan.do } };
}

/** @returns why it could not be done now, or undefined when done */
async function carryOut(context: RepoContext, plan: BranchPlan, { ref, ours, theirs }: Tips): Promise<string | undefined> {
  const { runGit, repository } = context;
  if (plan.do === 'create' || plan.do === 'delete') {
    const inUse = plan.do === 'delete' ? await whyInUse(context, ref) : undefined;
    if (inUse !== undefined) return `it was deleted there, but here ${inUse}`;
    const done = await updateRefs(runGit, repository, [{ ref, from: ours, to: theirs }], { message: `xmpp: ${plan.do}` });
    return done === 'done' ? undefined : 'the branch moved meanwhile';
  }
  if (theirs === undefined) return undefined;
  if (plan.do === 'follow' && ours !== undefined) await keepTip(context, ref, ours);
  const result = await moveBranch(context, repository, {
    branch: ref,
    from: ours,
    to: theirs,
    stateDir: context.stateDir,
    limits: TREE_LIMITS,
    message: plan.do,
  });
  return 'waits' in result ? result.waits : undefined;
}

/** Why nobody may take a branch away now: without it a work tree would stand on nothing. */
async function whyInUse({ repository }: RepoContext, branch: RefName): Promise<string | undefined> {
  const tree = (await workTreesOf(repository)).find((each) => each.branch === branch);
  return tree === undefined ? findBusy(repository, { branch }) : `it is checked out in ${tree.path}`;
}

/** What a rewrite leaves behind stays reachable under refs/xmpp/kept/. */
async function keepTip({ runGit, repository }: RepoContext, ref: RefName, tip: Oid): Promise<void> {
  const kept = parseRefName(`refs/xmpp/kept/${ref.slice('refs/heads/'.length)}-${tip.slice(0, 12)}`);
  await updateRefs(runGit, repository, [{ ref: kept, from: undefined, to: tip }], { message: 'xmpp: kept' });
}

async function readFacts({ runGit, repository, objects }: RepoContext, who: TipSource, tips: Tips): Promise<BranchFacts> {
  const { ours, theirs, acted, ref, isUnborn } = tips;
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
    ours,
    theirs,
    acted,
    relation: isBehind ? 'behind' : isAhead ? 'ahead' : 'diverged',
    isOursInActed: !isBehind && (await isWithin(ours, acted)),
    wasLeft: !isAhead && hasLeft,
    isUnborn,
    isOwnDevice: who.isOwn,
  };
}

/** The branch that waits for a first commit, where there is no other: of an empty repository, or a clone of one. */
async function unbornBranch({ repository }: RepoContext, ours: RefMap): Promise<RefName | undefined> {
  return [...ours.keys()].some((ref) => ref.startsWith('refs/heads/')) ? undefined : headBranch(repository.gitDir);
}

/** Whether every branch that differs from `before` went forward or away. */
export async function hasOnlyGrown({ runGit, repository, objects }: RepoContext, before: RefMap, after: RefMap): Promise<boolean> {
  for (const [ref, newer] of diffMaps(before, after)) {
    const older = before.get(ref);
    if (newer === undefined || !ref.startsWith('refs/heads/')) continue;
    if (older === undefined || !(await isAncestor(runGit, repository, { older, newer, objects }).catch(() => false))) return false;
  }
  return true;
}

/** Tags are made when absent, never moved or deleted by a peer. */
async function takeTags(
  { runGit, repository }: RepoContext,
  who: TipSource,
  refs: { readonly ours: RefMap; readonly theirs: RefMap },
): Promise<Outcome> {
  const tags = [...refs.theirs].filter(([ref]) => ref.startsWith('refs/tags/'));
  const missing = who.isOwn ? tags.filter(([ref]) => !refs.ours.has(ref)) : [];
  const wait = (ref: RefName, why: string, words: string): Waiting => ({ source: who.id, ref, why, words });
  const clashes = tags.filter(([ref, oid]) => refs.ours.has(ref) && refs.ours.get(ref) !== oid);
  const waiting = clashes.map(([ref]) => wait(ref, 'tag-clash', 'the tag names another object there; tags are never moved'));
  const moved: Moved[] = [];
  const make = async (some: typeof missing): Promise<void> => {
    const updates = some.map(([ref, to]) => ({ ref, from: undefined, to }));
    const done = await updateRefs(runGit, repository, updates, { message: 'xmpp: tag' });
    if (done === 'done') moved.push(...updates.map((update) => ({ ...update, how: 'tag' as const })));
  };
  try {
    await make(missing);
  } catch {
    // One that cannot be beside another (`v1/a` where `v1` is) fails them all: so one by one.
    for (const tag of missing) await make([tag]).catch((error: unknown) => waiting.push(wait(tag[0], 'failed', asFault(error, `making ${tag[0]}`).message)));
  }
  return { moved, waiting };
}

function parseActed(text: string | undefined): Oid | undefined {
  return text as Oid | undefined;
}
