// Which repositories may be shared, and what the others are told.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRepository, readGitConfig, rootCommits, setGitConfig, unsetGitConfig } from '../../../src/git/repository.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());

describe('openRepository', () => {
  it('opens a repository from its work tree, from a folder in it, and from .git', async () => {
    const repo = makeRepo();
    mkdirSync(join(repo.dir, 'sub'));
    const whole = {
      gitDir: repo.gitDir,
      commonDir: repo.gitDir,
      workTree: repo.dir,
      isBare: false,
      isShallow: false,
      path: repo.dir,
    };
    for (const path of [repo.dir, join(repo.dir, 'sub'), repo.gitDir]) expect(await openRepository(runGit, path)).toEqual(whole);
  });

  it('opens a bare one', async () => {
    const repo = makeRepo({ isBare: true });
    expect(await openRepository(runGit, repo.dir)).toMatchObject({
      isBare: true,
      workTree: undefined,
      path: repo.dir,
      gitDir: repo.dir,
    });
  });

  it('opens a linked work tree', async () => {
    const repo = makeRepo();
    commit(repo, { a: 'a' }, 'a');
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', linked);
    expect(await openRepository(runGit, linked)).toMatchObject({
      commonDir: repo.gitDir,
      gitDir: join(repo.gitDir, 'worktrees', 'linked'),
      path: linked,
    });
  });

  it('says what to do where there is none', async () => {
    for (const path of [makeFolder(), join(makeFolder(), 'nowhere')]) {
      await expect(openRepository(runGit, path)).rejects.toMatchObject({
        code: 'not-a-repository',
        remedy: expect.stringContaining('git init'),
      });
    }
  });

  it('refuses a folder inside .git', async () => {
    const repo = makeRepo();
    await expect(openRepository(runGit, join(repo.gitDir, 'refs'))).resolves.toMatchObject({ path: repo.dir });
  });

  it('refuses a shallow clone and names the remedy', async () => {
    const repo = makeRepo();
    commit(repo, { a: 'a' }, 'a');
    commit(repo, { a: 'b' }, 'b');
    const shallow = join(makeFolder(), 'shallow');
    git(repo.dir, 'clone', '-q', '--depth=1', `file://${repo.dir}`, shallow);
    await expect(openRepository(runGit, shallow)).rejects.toMatchObject({
      code: 'refused-repository',
      remedy: expect.stringContaining('--unshallow'),
    });
  });

  it('refuses a partial clone', async () => {
    const repo = makeRepo();
    commit(repo, { a: 'a' }, 'a');
    git(repo.dir, 'config', 'uploadpack.allowFilter', 'true');
    const partial = join(makeFolder(), 'partial');
    git(repo.dir, 'clone', '-q', '--filter=blob:none', `file://${repo.dir}`, partial);
    await expect(openRepository(runGit, partial)).rejects.toMatchObject({
      code: 'refused-repository',
      message: expect.stringContaining('partial clone'),
    });
  });

  it('refuses what this git does not know', async () => {
    const repo = makeRepo();
    git(repo.dir, 'config', 'core.repositoryFormatVersion', '1');
    git(repo.dir, 'config', 'extensions.refStorage', 'reftable');
    await expect(openRepository(runGit, repo.dir)).rejects.toMatchObject({ code: 'refused-repository' });
  });
});

describe('rootCommits', () => {
  it('finds the first commits of all branches', async () => {
    const repo = makeRepo();
    expect(await rootCommits(runGit, await openRepository(runGit, repo.dir))).toEqual([]);
    const first = commit(repo, { a: 'a' }, 'a');
    commit(repo, { a: 'b' }, 'b');
    git(repo.dir, 'checkout', '-q', '--orphan', 'other');
    const second = commit(repo, { a: 'c' }, 'c');
    expect(await rootCommits(runGit, await openRepository(runGit, repo.dir))).toEqual([first, second].sort());
    expect(tipOf(repo, 'other')).toBe(second);
  });
});

describe('readGitConfig', () => {
  it('reads every value, with line breaks and without a value', async () => {
    const repo = makeRepo();
    const repository = await openRepository(runGit, repo.dir);
    git(repo.dir, 'config', '--add', 'remote.Ä.url', 'one');
    git(repo.dir, 'config', '--add', 'remote.Ä.url', 'two\nlines=x');
    writeFileSync(join(repo.gitDir, 'config'), '[xmpp]\n\tautoCommit\n', { flag: 'a' });
    const config = await readGitConfig(runGit, repository);
    expect(config.get('remote.Ä.url')).toEqual(['one', 'two\nlines=x']);
    expect(config.get('xmpp.autocommit')).toEqual(['true']);
  });

  it('reads back what setGitConfig sets, in place of what was there', async () => {
    const repo = makeRepo();
    const repository = await openRepository(runGit, repo.dir);
    git(repo.dir, 'config', '--add', 'xmpp.branches', 'a');
    git(repo.dir, 'config', '--add', 'xmpp.branches', 'b');
    await setGitConfig(runGit, repository, 'xmpp.branches', 'c\nd');
    expect((await readGitConfig(runGit, repository)).get('xmpp.branches')).toEqual(['c\nd']);
  });

  it('writes a configuration that many write at once', async () => {
    const repo = makeRepo();
    const repository = await openRepository(runGit, repo.dir);
    const keys = Array.from({ length: 12 }, (_, index) => `xmpp.k${index}`);
    await Promise.all(keys.map((key) => setGitConfig(runGit, repository, key, 'v')));
    const config = await readGitConfig(runGit, repository);
    expect(keys.filter((key) => config.get(key)?.at(-1) === 'v')).toEqual(keys);
    await Promise.all(keys.map((key) => unsetGitConfig(runGit, repository, key)));
    expect([...(await readGitConfig(runGit, repository)).keys()].filter((key) => keys.includes(key))).toEqual([]);
  });

  it('names a lock that stays, and unsets nothing where there is nothing', async () => {
    const repo = makeRepo();
    const repository = await openRepository(runGit, repo.dir);
    await unsetGitConfig(runGit, repository, 'xmpp.id');
    await unsetGitConfig(runGit, { path: join(makeFolder(), 'gone'), gitDir: join(makeFolder(), 'gone/.git') }, 'xmpp.id');
    writeFileSync(join(repo.gitDir, 'config.lock'), '');
    const kept = setGitConfig(runGit, repository, 'xmpp.id', 'x');
    await expect(kept).rejects.toMatchObject({ code: 'git', message: expect.stringContaining('could not lock config file') });
  });
});
