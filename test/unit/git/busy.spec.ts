// What counts as being at work, in every work tree.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseRefName } from '../../../src/lib/names.ts';
import { findBusy } from '../../../src/git/busy.ts';
import { open } from '../../helpers/git-pipe.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const main = parseRefName('refs/heads/main');
const side = parseRefName('refs/heads/side');
let repo: TestRepo;
let linked: string;

beforeEach(() => {
  repo = makeRepo();
  commit(repo, { a: 'a' }, 'a');
  linked = join(makeFolder(), 'linked');
  git(repo.dir, 'worktree', 'add', '-q', '-b', 'side', linked);
});

describe('findBusy', () => {
  it('finds nothing in a quiet repository, bare or empty', async () => {
    for (const one of [repo, makeRepo(), makeRepo({ isBare: true })]) expect(await findBusy(await open(one))).toBeUndefined();
  });

  it("names a lock anywhere, and passes over the agent's own", async () => {
    writeFileSync(join(repo.gitDir, 'worktrees/linked/index.lock'), '');
    expect(await findBusy(await open(repo), { branch: main })).toContain('worktrees/linked/index.lock');
    expect(await findBusy(await open(repo), { ownLockIn: join(repo.gitDir, 'worktrees/linked') })).toBeUndefined();
  });

  it('finds a merge in a linked work tree, and names the work tree', async () => {
    writeFileSync(join(repo.gitDir, 'worktrees/linked/MERGE_HEAD'), '');
    expect(await findBusy(await open(repo))).toBe(`a merge is under way in ${linked}`);
    expect(await findBusy(await open(repo), { branch: side })).toContain('merge');
    expect(await findBusy(await open(repo), { branch: main })).toBeUndefined();
    expect(await findBusy(await open({ dir: linked, gitDir: '' }), { branch: side })).toBe('a merge is under way');
  });

  it.each(['rebase-merge/head-name', 'rebase-apply/head-name', 'rebase-merge/update-refs'])(
    'finds a rebase by %s',
    async (file) => {
      const dir = join(repo.gitDir, 'worktrees/linked');
      mkdirSync(join(dir, file.split('/')[0] ?? ''));
      writeFileSync(join(dir, file), `${main}\n`);
      expect(await findBusy(await open(repo), { branch: main })).toContain('a rebase is under way');
      expect(await findBusy(await open(repo), { branch: side })).toBeUndefined();
    },
  );

  it('finds a real bisect of a branch', async () => {
    commit(repo, { a: 'b' }, 'b');
    commit(repo, { a: 'c' }, 'c');
    git(repo.dir, 'bisect', 'start', 'HEAD', 'HEAD~2');
    expect(await findBusy(await open(repo), { branch: main })).toBe('a bisect is under way');
    git(repo.dir, 'bisect', 'reset');
    expect(await findBusy(await open(repo), { branch: main })).toBeUndefined();
  });

  it('finds a real cherry-pick and revert that have stopped', async () => {
    const base = commit(repo, { a: 'x' }, 'x');
    commit(repo, { a: 'y' }, 'y');
    git(repo.dir, 'checkout', '-q', '-b', 'other', `${base}~1`);
    expect(() => git(repo.dir, 'cherry-pick', 'main')).toThrow();
    expect(await findBusy(await open(repo))).toContain('cherry-pick');
    git(repo.dir, 'cherry-pick', '--abort');
    commit(repo, { a: 'z' }, 'z');
    expect(() => git(repo.dir, 'revert', base)).toThrow();
    expect(await findBusy(await open(repo))).toContain('revert');
  });
});
