// A person's push to a checked-out branch (sync-rules, "People's lane"): the hook asks, the one safe path answers.
// Rule: index and work tree move here under the same checks as ever; the branch itself is moved by receive-pack right after.

import { Fault } from '../lib/errors.ts';
import type { Oid } from '../lib/names.ts';
import { moveBranch } from '../git/move.ts';
import { headOf, listRefs } from '../git/refs.ts';
import { TREE_LIMITS } from './context.ts';
import type { RepoLoop } from './loop.ts';

/** @throws Fault saying what is in the way; git tells the pusher */
export async function checkOutPushed(loops: readonly RepoLoop[], { gitDir, to }: { readonly gitDir: string; readonly to: Oid }): Promise<void> {
  const loop = loops.find(({ context }) => context.repository.gitDir === gitDir || context.repository.commonDir === gitDir);
  if (loop === undefined) throw new Fault('no-such-repo', 'that repository is not shared any more');
  const { runGit, startGit, repository, stateDir } = loop.context;
  const head = await headOf(runGit, repository);
  if (!('branch' in head)) throw new Fault('refused-repository', 'no branch with a commit is checked out there');
  const from = (await listRefs(runGit, repository, [head.branch])).get(head.branch);
  if (from === undefined) throw new Fault('refused-repository', 'the branch is gone');
  const request = { branch: head.branch, from, to, stateDir, limits: TREE_LIMITS, message: 'push', isRefLeft: true };
  const result = await loop.exclusively(() => moveBranch({ runGit, startGit }, repository, request));
  if ('waits' in result) throw new Fault('refused-repository', `the checked-out branch cannot move now: ${result.waits}`);
}
