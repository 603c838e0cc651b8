// Opening what is shared. Rule: only the repository that carries the id is the one.

import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isStillThere, openShared } from '../../../src/agent/repo-there.ts';
import { createRunGit } from '../../../src/git/run.ts';
import type { SharedRepo } from '../../../src/home/repos.ts';
import { makeSharedRepo } from '../../helpers/home-values.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());

function share(dir = join(makeFolder(), 'notes')): { readonly repo: TestRepo; readonly shared: SharedRepo } {
  const repo = makeRepo({ dir });
  const shared = makeSharedRepo('notes', { path: repo.dir, gitDir: repo.gitDir });
  git(repo.dir, 'config', 'xmpp.id', shared.id);
  return { repo, shared };
}

async function refusal(shared: SharedRepo): Promise<unknown> {
  return openShared(runGit, shared).then(() => undefined, (error: unknown) => error);
}

describe('openShared', () => {
  it('opens it where it was', async () => {
    const { shared } = share();
    expect(await openShared(runGit, shared)).toMatchObject({ path: shared.path });
    expect(await isStillThere(runGit, shared)).toBe(true);
  });

  it('says that it is not there, and what to type', async () => {
    const { repo, shared } = share();
    renameSync(repo.dir, `${repo.dir}-moved`);
    expect(await refusal(shared)).toMatchObject({
      code: 'not-a-repository',
      message: `${shared.path} is not there`,
      remedy: `moved: git xmpp share <where it is now>; gone for good: git xmpp unshare '${shared.path}'`,
    });
    expect(await isStillThere(runGit, shared)).toBe(false);
  });

  it('takes no other repository for it: not one that was made anew there, nor one around it', async () => {
    const outer = makeRepo();
    const { repo, shared } = share(join(outer.dir, 'notes'));
    rmSync(repo.gitDir, { recursive: true });
    expect(await refusal(shared)).toMatchObject({ message: `${shared.path} is not there` });
    makeRepo({ dir: repo.dir });
    expect(await refusal(shared)).toMatchObject({ code: 'not-a-repository', message: `${shared.path} is another repository now` });
    expect(await isStillThere(runGit, shared)).toBe(false);
  });

  it('counts one that is there and cannot be kept in sync as there', async () => {
    const { repo, shared } = share();
    commit(repo, { a: '1' }, 'one');
    git(repo.dir, 'config', 'remote.x.promisor', 'true');
    expect(await refusal(shared)).toMatchObject({ code: 'refused-repository' });
    expect(await isStillThere(runGit, shared)).toBe(true);
  });
});
