// Whether somebody is at work in a repository (docs/decisions/0012-the-agent-holds-the-index-lock.md), in words for `status`.
// Rule: a branch that git, or a person in the middle of something, still needs where it is does not move.

import { join } from 'node:path';
import type { RefName } from '../lib/names.ts';
import type { Repository } from './repository.ts';
import { exists, readSmallFile, workTreesOf } from './worktrees.ts';
import type { WorkTree } from './worktrees.ts';

export interface BusyOptions {
  /** Only what concerns this branch; without it, anything. */
  readonly branch?: RefName;
  /** Git directory of the work tree whose index.lock is the agent's own. */
  readonly ownLockIn?: string;
}

/** What is under way, such as `a rebase is under way`; undefined when nothing is. Looks into every work tree. */
export async function findBusy(repository: Repository, options: BusyOptions = {}): Promise<string | undefined> {
  for (const tree of await workTreesOf(repository)) {
    const words =
      (await lockIn(tree, options)) ?? (await operationOnHead(tree, options)) ?? (await operationOnBranch(tree, options));
    if (words !== undefined) return tree.gitDir === repository.gitDir ? words : `${words} in ${tree.path}`;
  }
  return undefined;
}

/** A lock in any work tree counts: a switch to the branch may be under way there. */
async function lockIn(tree: WorkTree, options: BusyOptions): Promise<string | undefined> {
  const lock = join(tree.gitDir, 'index.lock');
  if (tree.gitDir === options.ownLockIn || !(await exists(lock))) return undefined;
  return `git is at work on the index (if no git runs, remove ${lock})`;
}

const ON_HEAD = [
  ['MERGE_HEAD', 'a merge is under way'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick is under way'],
  ['REVERT_HEAD', 'a revert is under way'],
  ['sequencer', 'a cherry-pick or revert is under way'],
  ['rebase-apply/applying', 'git am is under way'],
] as const;

/** What works on the branch that is checked out. */
async function operationOnHead(tree: WorkTree, { branch }: BusyOptions): Promise<string | undefined> {
  if (branch !== undefined && tree.branch !== branch) return undefined;
  for (const [file, words] of ON_HEAD) {
    if (await exists(join(tree.gitDir, file))) return words;
  }
  return undefined;
}

/** What has detached HEAD and will come back to a branch. */
async function operationOnBranch(tree: WorkTree, { branch }: BusyOptions): Promise<string | undefined> {
  for (const file of ['rebase-merge/head-name', 'rebase-apply/head-name', 'rebase-merge/update-refs']) {
    const text = await readSmallFile(join(tree.gitDir, file));
    if (text !== undefined && (branch === undefined || text.split('\n').includes(branch))) return 'a rebase is under way';
  }
  const start = await readSmallFile(join(tree.gitDir, 'BISECT_START'));
  if (start !== undefined && (branch === undefined || branch === `refs/heads/${start}` || branch === start))
    return 'a bisect is under way';
  return undefined;
}
