// Opening a repository that is shared: where it was, and still the same one (docs/git-xmpp.1, "share"). Rule: a folder that does not carry the
// repository's id is another repository, and is never taken for it: its branches would be told as the other's.

import { lstat } from 'node:fs/promises';
import { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { openRepository, readGitConfig } from '../git/repository.ts';
import type { Repository } from '../git/repository.ts';
import type { SharedRepo } from '../home/repos.ts';

type Shared = Pick<SharedRepo, 'id' | 'path' | 'gitDir'>;

/** @throws Fault `not-a-repository` when it is not there or is another one, `refused-repository` as `openRepository` */
export async function openShared(runGit: RunGit, shared: Shared): Promise<Repository> {
  const { id, path, gitDir } = shared;
  if (!(await isPlace(gitDir))) {
    throw new Fault('not-a-repository', `${path} is not there`, {
      remedy: `moved: git xmpp share <where it is now>; gone for good: git xmpp unshare '${path}'`,
    });
  }
  const repository = await openRepository(runGit, path);
  const config = await readGitConfig(runGit, repository);
  if (repository.gitDir !== gitDir || config.get('xmpp.id')?.at(-1) !== id) {
    throw new Fault('not-a-repository', `${path} is another repository now`, {
      remedy: `to keep this one in sync instead: git xmpp share '${path}'; else: git xmpp unshare '${path}'`,
    });
  }
  return repository;
}

/** Whether a shared repository is where it was shared from. */
export async function isStillThere(runGit: RunGit, shared: Shared): Promise<boolean> {
  return openShared(runGit, shared).then(
    () => true,
    (error: unknown) => !(error instanceof Fault && error.code === 'not-a-repository'),
  );
}

async function isPlace(gitDir: string): Promise<boolean> {
  return lstat(gitDir).then(
    () => true,
    () => false,
  );
}
