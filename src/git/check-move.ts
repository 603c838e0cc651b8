// What is looked at under the locks before a work tree is written (docs/decisions/0012-the-agent-holds-the-index-lock.md).
// Rule: every reason to wait is one sentence that names the file or the operation.

import type { RunGit } from '../lib/git-run.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findBusy } from './busy.ts';
import { findFiltered } from './filters.ts';
import { findObstacle } from './obstacle.ts';
import { privateIndex } from './private-index.ts';
import type { Repository } from './repository.ts';
import { lastWords } from './run.ts';
import { GITLINK } from './tree-diff.ts';
import type { TreeChange } from './tree-diff.ts';
import { exists, headBranch } from './worktrees.ts';
import type { WorkTree } from './worktrees.ts';

export interface Checked {
  readonly branch: RefName;
  readonly to: Oid;
  readonly tree: WorkTree;
  /** Commit that the index must be equal to, or the empty tree. */
  readonly fromTree: Oid;
  readonly changes: readonly TreeChange[];
}

/** Why the work tree may not be written now; undefined when it may. The private index must be a copy of the real one. */
export async function checkMove(
  deps: { readonly runGit: RunGit },
  repository: Repository,
  move: Checked,
): Promise<string | undefined> {
  const { tree, branch, changes } = move;
  if ((await headBranch(tree.gitDir)) !== branch) return 'another branch has been checked out meanwhile';
  const busy = await findBusy(repository, { branch, ownLockIn: tree.gitDir });
  if (busy !== undefined) return busy;
  if (await isSparse(deps.runGit, tree)) return `its checkout is sparse, so it does not move by itself: run git merge --ff-only ${move.to}`;
  const replaced = changes.find(
    (change) => change.kind === 'changed' && (change.oldMode === GITLINK) !== (change.newMode === GITLINK),
  );
  if (replaced !== undefined) return `${replaced.path.toString('utf8')} changes between a submodule and a file`;
  const obstacle = await findObstacle(tree.path, changes);
  if (obstacle !== undefined) return `${obstacle} is in the way of a new file and is not in git: move it, or add it`;
  const asked = [
    hasStaged(deps.runGit, move),
    tryMerge(deps.runGit, move),
    findFiltered(deps.runGit, { ...move, commonDir: repository.commonDir }),
  ] as const;
  // Of one that fails nobody hears before the others have let go of the private index.
  await Promise.allSettled(asked);
  const [isStaged, refusal, filtered] = await Promise.all(asked);
  if (filtered !== undefined) {
    return `${filtered.path} passes through filter=${filtered.filter}, which may fail half-way: run git merge --ff-only ${move.to}`;
  }
  return isStaged ? 'something is staged: commit it, or run git restore --staged .' : refusal;
}

/** Whether only a part of the files is meant to be there (git-sparse-checkout(1)). */
export async function isSparse(runGit: RunGit, tree: Pick<WorkTree, 'path' | 'gitDir'>): Promise<boolean> {
  if (!(await exists(`${tree.gitDir}/info/sparse-checkout`))) return false;
  const { stdout } = await runGit(['config', '--type=bool', '--get', 'core.sparseCheckout'], {
    ...privateIndex(tree),
    okCodes: [0, 1],
  });
  return stdout.trim() === 'true';
}

/** Whether the index differs from the commit; a path marked by `git add -N` counts. */
async function hasStaged(runGit: RunGit, { tree, fromTree }: Checked): Promise<boolean> {
  const args = ['diff-index', '--cached', '--quiet', '--ita-visible-in-index', '--ignore-submodules=none', fromTree];
  const { exitCode } = await runGit(args, { ...privateIndex(tree), okCodes: [0, 1] });
  return exitCode === 1;
}

/** git's own check, without writing. Files that only look changed are looked at once more. */
async function tryMerge(runGit: RunGit, move: Checked, isSecond = false): Promise<string | undefined> {
  const args = ['read-tree', '--no-recurse-submodules', '-n', '-m', '-u', move.fromTree, move.to];
  const place = privateIndex(move.tree);
  const { exitCode, stderr } = await runGit(args, { ...place, okCodes: [0, 128] });
  if (exitCode === 0) return undefined;
  const dirty = /Entry '(.*)' not uptodate/.exec(stderr)?.[1];
  if (dirty === undefined) return lastWords(stderr);
  if (isSecond) return `${dirty} has changes that are not committed`;
  await runGit(['update-index', '-q', '--refresh'], { ...place, okCodes: [0, 1] });
  return tryMerge(runGit, move, true);
}
