// Writes the agent's own refs: corners and mirrors. Rule: a ref that goes makes room first, for git does not put `topic/one` in the place
// of `topic` in one transaction; what a crash leaves between the two is found at the next look.

import type { RunGit } from '../lib/git-run.ts';
import { updateRefs } from '../git/refs.ts';
import type { RefUpdate } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';

/** As `updateRefs`, for refs that are nobody else's. */
export async function writeRefs(
  { runGit, repository }: { readonly runGit: RunGit; readonly repository: Repository },
  updates: readonly RefUpdate[],
  options: { readonly message: string },
): Promise<'done' | 'lost-race'> {
  const gone = updates.filter(({ to }) => to === undefined);
  const left = updates.filter(({ to }) => to !== undefined);
  const made = await updateRefs(runGit, repository, gone, options);
  return made === 'done' ? updateRefs(runGit, repository, left, options) : made;
}
