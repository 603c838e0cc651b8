// Compares the branches here with one device's map, or a hub, and moves what may be moved (docs/ARCHITECTURE.md). Rule: the plan decides, the one safe
// path moves, and whatever does not move is named with its reason; a tip counts as acted on only when nothing of it waits.

import { asFault } from '../lib/errors.ts';
import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { isAncestor } from '../git/refs.ts';
import type { RefMap } from '../git/refs.ts';
import { headBranch } from '../git/worktrees.ts';
import { diffMaps } from '../sync/map-format.ts';
import type { Known, Moved, Outcome, TipSource } from './consider-types.ts';
import type { RepoContext, Waiting } from './context.ts';
import { takeBranch } from './take-branch.ts';
import { takeTags } from './take-tags.ts';

export type { Known, Moved, Outcome, TipSource } from './consider-types.ts';

/** Carries out what the plan says for each branch and tag of a device's map. */
export async function consider(context: RepoContext, who: TipSource, known: Known): Promise<Outcome> {
  const { ours } = known;
  const { refs: theirs, acted } = who;
  const tags = await takeTags(context, who, { ours, theirs });
  const moved: Moved[] = [...tags.moved];
  const waiting: Waiting[] = [...tags.waiting];
  const settled: Record<string, string> = {};
  const unborn = await unbornBranch(context, ours);
  const names = new Set([...theirs.keys(), ...Object.keys(acted).map(parseRefName)]);
  for (const ref of [...names].filter((each) => each.startsWith('refs/heads/'))) {
    const tips = { ref, ours: ours.get(ref), theirs: theirs.get(ref), acted: parseActed(acted[ref]), isUnborn: ref === unborn };
    const result = await takeBranch(context, { who, known, tips });
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

function parseActed(text: string | undefined): Oid | undefined {
  return text as Oid | undefined;
}
