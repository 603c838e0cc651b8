// A person's push to a checked-out branch (docs/PROTOCOL.md, "The two lanes"): the hook asks, the one safe path answers.
// Rule: index and work tree move here under the same checks as ever; the branch itself is moved by receive-pack right after.

import { Fault } from '../lib/errors.ts';
import type { Oid } from '../lib/names.ts';
import { moveBranch } from '../git/move.ts';
import { listRefs } from '../git/refs.ts';
import { workTreesOf } from '../git/worktrees.ts';
import type { WorkTree } from '../git/worktrees.ts';
import { TREE_LIMITS } from './context.ts';
import type { RepoLoop } from './loop.ts';

/** @throws Fault saying what is in the way; git tells the pusher */
export async function checkOutPushed(loops: readonly RepoLoop[], { gitDir, to }: { readonly gitDir: string; readonly to: Oid }): Promise<void> {
  const { loop, tree } = await findTree(loops, gitDir);
  const { runGit, startGit, objects, repository, stateDir } = loop.context;
  const { branch } = tree;
  const from = branch === undefined ? undefined : (await listRefs(runGit, repository, [branch])).get(branch);
  if (branch === undefined) throw new Fault('refused-repository', 'no branch is checked out there');
  const request = { branch, from, to, stateDir, limits: TREE_LIMITS, message: 'push', isRefLeft: true };
  const result = await loop.exclusively(() => moveBranch({ runGit, startGit, objects }, repository, request));
  if ('waits' in result) throw new Fault('refused-repository', `the checked-out branch cannot move now: ${result.waits}`);
}

/** The work tree that a hook ran for, main or linked. */
async function findTree(loops: readonly RepoLoop[], gitDir: string): Promise<{ readonly loop: RepoLoop; readonly tree: WorkTree }> {
  for (const loop of loops) {
    const tree = (await workTreesOf(loop.context.repository)).find((each) => each.gitDir === gitDir);
    if (tree !== undefined) return { loop, tree };
  }
  throw new Fault('no-such-repo', 'that repository is not shared any more');
}
