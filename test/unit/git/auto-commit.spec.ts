// What is committed by itself, and what is not.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { autoCommit } from '../../../src/git/auto-commit.ts';
import type { AutoCommitRequest, AutoCommitted } from '../../../src/git/auto-commit.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const deps = { runGit: createRunGit(cleanEnv()), startGit: createStartGit(cleanEnv()) };
let repo: TestRepo;
let stateDir: string;

beforeEach(() => {
  repo = makeRepo();
  stateDir = makeFolder();
  asAnn(repo);
  commit(repo, { a: 'a\n', 'd/b': 'b\n', 'd/c': 'c\n' }, 'one');
});

function asAnn({ dir }: TestRepo): void {
  git(dir, 'config', 'user.name', 'Änn');
  git(dir, 'config', 'user.email', 'ann@example.org');
}

async function run(options: Partial<AutoCommitRequest> = {}): Promise<AutoCommitted> {
  const request = { stateDir, message: 'changes', maxBytes: 1000, delayMs: 0, now: Date.now(), mayGo: () => true, ...options };
  const result = await autoCommit(deps, await open(repo), request);
  git(repo.dir, 'fsck', '--full', '--no-dangling');
  for (const name of ['index.lock', 'xmpp-index', 'xmpp-index.lock', 'xmpp-index-hold']) expect(existsSync(join(repo.gitDir, name))).toBe(false);
  return result;
}

async function committed(options: Partial<AutoCommitRequest> = {}): Promise<string> {
  const before = git(repo.dir, 'rev-list', '--count', '--all');
  const result = await run(options);
  if ('waits' in result || result.commit === undefined) throw new Error(`nothing was committed: ${JSON.stringify(result)}`);
  expect(tipOf(repo, 'HEAD')).toBe(result.commit.to);
  expect(Number(git(repo.dir, 'rev-list', '--count', '--all'))).toBe(Number(before) + 1);
  return git(repo.dir, 'show', '--format=', '--name-status', '--no-renames', 'HEAD').replaceAll('\t', ' ');
}

/** Nothing happens, and why. */
async function waits(options: Partial<AutoCommitRequest> = {}): Promise<string> {
  const [before, status] = [git(repo.dir, 'for-each-ref'), git(repo.dir, 'status', '--porcelain')];
  const result = await run(options);
  expect([git(repo.dir, 'for-each-ref'), git(repo.dir, 'status', '--porcelain')]).toEqual([before, status]);
  return 'waits' in result ? `${result.waits.why}: ${result.waits.words}` : `no: ${JSON.stringify(result)}`;
}

const clean = (): string => git(repo.dir, 'status', '--porcelain');

describe('autoCommit', () => {
  it('takes new, changed, removed and renamed files in one commit, in the name and words that are set', async () => {
    writeFiles(repo.dir, { a: 'changed\n', 'new/ü x': 'new\n' });
    renameSync(join(repo.dir, 'd/b'), join(repo.dir, 'moved'));
    rmSync(join(repo.dir, 'd/c'));
    symlinkSync('a', join(repo.dir, 'link'));
    expect(await committed({ message: 'Änderungen on laptop' })).toBe('M a\nD d/b\nD d/c\nA link\nA moved\nA "new/\\303\\274 x"');
    expect(git(repo.dir, 'log', '-1', '--format=%an <%ae> %cn %s')).toBe('Änn <ann@example.org> Änn Änderungen on laptop');
    expect(git(repo.dir, 'reflog', '-1', '--format=%gs', 'main')).toBe('xmpp: commit');
    expect(clean()).toBe('');
  });

  it('commits nothing where nothing has changed, though files look changed', async () => {
    utimesSync(join(repo.dir, 'a'), 1, 1);
    expect(await run()).toEqual({ leftOut: [], young: [], hasMore: false });
    expect(git(repo.dir, 'rev-list', '--count', 'HEAD')).toBe('1');
  });

  it('makes the first commit of a branch', async () => {
    repo = makeRepo();
    asAnn(repo);
    writeFiles(repo.dir, { x: 'x' });
    expect(await committed()).toBe('A x');
    expect(clean()).toBe('');
  });

  it('takes a file that becomes a folder, a folder that becomes a file, and a mode', async () => {
    writeFiles(repo.dir, { a: null, d: null });
    writeFiles(repo.dir, { 'a/x': 'x', d: 'file', e: { executable: 'e' } });
    expect(await committed()).toBe('D a\nA a/x\nA d\nD d/b\nD d/c\nA e');
    chmodSync(join(repo.dir, 'e'), 0o644);
    expect(await committed()).toBe('M e');
  });

  it('runs no hook and signs nothing', async () => {
    git(repo.dir, 'config', 'commit.gpgSign', 'true');
    git(repo.dir, 'config', 'gpg.program', '/bin/false');
    for (const name of ['pre-commit', 'commit-msg', 'post-commit', 'post-index-change', 'reference-transaction'])
      writeFiles(repo.dir, { [`.git/hooks/${name}`]: { executable: `#!/bin/sh\ntouch "${repo.gitDir}/ran"; exit 1\n` } });
    writeFiles(repo.dir, { x: 'x' });
    expect(await committed()).toBe('A x');
    expect(existsSync(join(repo.gitDir, 'ran'))).toBe(false);
    expect(git(repo.dir, 'cat-file', '-p', 'HEAD')).not.toContain('gpgsig');
  });

  it('takes filters and line ends as git add does', async () => {
    git(repo.dir, 'config', 'filter.up.clean', 'tr a-z A-Z');
    git(repo.dir, 'config', 'core.autocrlf', 'input');
    writeFiles(repo.dir, { '.gitattributes': '*.up filter=up\n', 'x.up': 'small', y: 'one\r\ntwo\r\n' });
    await committed();
    expect([git(repo.dir, 'show', 'HEAD:x.up'), git(repo.dir, 'show', 'HEAD:y')]).toEqual(['SMALL', 'one\ntwo']);
    expect(readFileSync(join(repo.dir, 'x.up'), 'utf8')).toBe('small');
    expect(clean()).toBe('');
  });

  it('leaves what has not settled, and what changed a moment ago and nobody knows of', async () => {
    writeFiles(repo.dir, { old: 'old', young: 'young', written: 'written' });
    const result = await run({ delayMs: 60_000, mayGo: (path) => ({ old: true, written: false })[path] });
    expect(result).toMatchObject({ commit: { paths: 1 }, young: ['young'] });
    expect(clean()).toBe('?? written\n?? young');
    expect(await committed({ delayMs: 60_000, now: Date.now() + 120_000, mayGo: () => undefined })).toBe('A written\nA young');
  });

  it('leaves large files, repositories within and what Git LFS keeps, by name, and takes the rest', async () => {
    writeFiles(repo.dir, { '.gitattributes': '*.psd filter=lfs\n', 'x.psd': 'x', large: 'x'.repeat(1001), ok: 'ok' });
    git(repo.dir, 'init', '-q', 'inner');
    const result = await run();
    expect('leftOut' in result && result.leftOut.map(({ path, why }) => `${why} ${path}`)).toEqual(['nested inner', 'large large', 'lfs x.psd']);
    expect(git(repo.dir, 'show', '--format=', '--name-only', 'HEAD')).toBe('.gitattributes\nok');
    expect(git(repo.dir, 'ls-files', '-s')).not.toContain('160000');
  });

  it('leaves a named pipe that stands where a file was, by name, and never reads it', async () => {
    rmSync(join(repo.dir, 'a'));
    execFileSync('mkfifo', [join(repo.dir, 'a')]);
    writeFiles(repo.dir, { ok: 'ok' });
    const result = await run();
    expect('leftOut' in result && result.leftOut).toEqual([{ path: 'a', why: 'special', words: 'is no ordinary file' }]);
    expect(git(repo.dir, 'show', '--format=', '--name-only', 'HEAD')).toBe('ok');
  });

  it('leaves one file that git cannot take, by name, and takes the rest', async () => {
    git(repo.dir, 'config', 'filter.bad.clean', 'false');
    git(repo.dir, 'config', 'filter.bad.required', 'true');
    writeFiles(repo.dir, { '.gitattributes': '*.bad filter=bad\n', 'x.bad': 'x', ok: 'ok' });
    const result = await run();
    expect('leftOut' in result && result.leftOut).toMatchObject([{ path: 'x.bad', why: 'failed' }]);
    expect(git(repo.dir, 'show', '--format=', '--name-only', 'HEAD')).toBe('.gitattributes\nok');
  });

  it('ignores what is ignored, and leaves submodules as they are', async () => {
    const other = makeRepo();
    commit(other, { x: 'x' }, 'one');
    git(repo.dir, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other.dir, 'sub');
    git(repo.dir, 'commit', '-qam', 'sub');
    commit({ dir: join(repo.dir, 'sub'), gitDir: '' }, { y: 'y' }, 'two');
    writeFiles(repo.dir, { '.gitignore': '*.log\n', 'x.log': 'x' });
    expect(await committed()).toBe('A .gitignore');
    expect(clean()).toBe(' M sub');
  });
});

describe('autoCommit waits', () => {
  beforeEach(() => writeFiles(repo.dir, { a: 'changed\n' }));

  it('while something is staged, or marked to be added', async () => {
    git(repo.dir, 'add', 'a');
    expect(await waits()).toBe('staged: something is staged (a): commit it, or run git restore --staged .');
    git(repo.dir, 'reset', '-q');
    writeFiles(repo.dir, { n: 'n' });
    git(repo.dir, 'add', '-N', 'n');
    expect(await waits()).toContain('something is staged (n)');
  });

  it('while a merge with a conflict is under way, and after a stash that clashed', async () => {
    git(repo.dir, 'stash', '-q');
    commit(repo, { a: 'other\n' }, 'two');
    expect(() => git(repo.dir, 'stash', 'pop', '-q')).toThrow();
    expect(await waits()).toBe('staged: a has a conflict: resolve it and commit');
    git(repo.dir, 'reset', '-q', '--hard');
    git(repo.dir, 'switch', '-q', '-c', 'side', 'HEAD~1');
    commit(repo, { a: 'side\n' }, 'side');
    expect(() => git(repo.dir, 'merge', '-q', 'main')).toThrow();
    expect(await waits()).toBe('busy: a merge is under way');
  });

  it('while a rebase is under way, or HEAD is detached', async () => {
    git(repo.dir, 'checkout', '-q', '--detach');
    expect(await waits()).toBe('detached: no branch is checked out: git switch <branch>');
    writeFiles(repo.dir, { '.git/rebase-merge/head-name': 'refs/heads/main\n' });
    expect(await waits()).toBe('busy: a rebase is under way');
  });

  it('while git is at work on the index, and leaves its lock', async () => {
    writeFileSync(join(repo.gitDir, 'index.lock'), '');
    const result = await autoCommit(deps, await open(repo), { stateDir, message: 'm', maxBytes: 1000, delayMs: 0, now: 0, mayGo: () => true });
    expect('waits' in result && result.waits.words).toMatch(/^git is at work on the index/);
    expect(existsSync(join(repo.gitDir, 'index.lock'))).toBe(true);
  });

  it('when the index, HEAD or the branch changes meanwhile', async () => {
    const during = (act: () => void): Promise<string> => {
      const onStage = (stage: string): void => void (stage === 'journalled' && act());
      return autoCommit({ ...deps, onStage }, { ...opened }, { stateDir, message: 'm', maxBytes: 1000, delayMs: 0, now: 0, mayGo: () => true }).then((result) =>
        'waits' in result ? result.waits.words : 'went',
      );
    };
    const opened = await open(repo);
    expect(await during(() => utimesSync(join(repo.gitDir, 'index'), 5, 5))).toBe('git was at work on the index');
    git(repo.dir, 'branch', 'side');
    expect(await during(() => git(repo.dir, 'symbolic-ref', 'HEAD', 'refs/heads/side'))).toBe('another branch has been checked out meanwhile');
    git(repo.dir, 'symbolic-ref', 'HEAD', 'refs/heads/main');
    expect(await during(() => writeFileSync(join(repo.gitDir, 'MERGE_HEAD'), ''))).toBe('a merge is under way');
    rmSync(join(repo.gitDir, 'MERGE_HEAD'));
    expect(await during(() => git(repo.dir, 'update-ref', 'refs/heads/main', git(repo.dir, 'commit-tree', '-m', 'x', 'HEAD^{tree}')))).toMatch(/moved, or is locked/);
    expect(clean()).toBe(' M a');
  });

  it('for a name to commit in, where something is to be committed', async () => {
    expect(await waits({ nobody: 'who?' })).toBe('nobody: who?');
    git(repo.dir, 'checkout', '-q', 'a');
    expect(await waits({ nobody: 'who?' })).toMatch(/^no: /);
  });

  it('before it deletes everything, but not when all is only moved', async () => {
    writeFiles(repo.dir, { a: null, d: null, left: 'ignored before' });
    expect(await waits()).toMatch(/^emptied: every file is gone/);
    git(repo.dir, 'checkout', '-q', '.');
    rmSync(join(repo.dir, 'left'));
    for (const name of ['a', 'd']) {
      writeFiles(repo.dir, { 'sub/.keep': '' });
      renameSync(join(repo.dir, name), join(repo.dir, 'sub', name));
    }
    expect(await committed()).toContain('A sub/d/b');
  });

  it('when the folder is gone, sparse, or a linked work tree', async () => {
    const gone = { ...(await open(repo)), workTree: join(repo.dir, 'nowhere') };
    const request = { stateDir, message: 'm', maxBytes: 1000, delayMs: 0, now: 0, mayGo: () => true };
    expect(await autoCommit(deps, gone, request)).toMatchObject({ waits: { why: 'gone' } });
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', '-b', 'side', linked);
    writeFiles(linked, { x: 'x' });
    expect(await autoCommit(deps, await open({ dir: linked, gitDir: '' }), request)).toMatchObject({ waits: { words: expect.stringContaining('linked work tree') as string } });
    git(repo.dir, 'worktree', 'remove', '--force', linked);
    git(repo.dir, 'sparse-checkout', 'set', 'd');
    expect(await waits()).toContain('its checkout is sparse');
  });
});
