// The one safe path, on real repositories: every reason to wait leaves everything as it was.

import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../../src/lib/errors.ts';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { moveBranch } from '../../../src/git/move.ts';
import type { Moved, MoveRequest } from '../../../src/git/move.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, writeFiles } from '../../helpers/repo.ts';
import type { TestFile, TestRepo } from '../../helpers/repo.ts';

const main = parseRefName('refs/heads/main');
const deps = { runGit: createRunGit(cleanEnv()), startGit: createStartGit(cleanEnv()) };
const limits = { paths: 1000, bytes: 1 << 20 };

let repo: TestRepo;
let stateDir: string;
let from: Oid;
let to: Oid;

/** main at `before`, with a commit `to` on top of it that makes of it what `after` says. */
function build(before: Record<string, TestFile>, after: Record<string, TestFile>): void {
  repo = makeRepo();
  from = commit(repo, { 'kept.txt': 'kept\n', ...before }, 'before');
  to = commit(repo, after, 'after');
  git(repo.dir, 'reset', '-q', '--hard', from);
}

async function move(request: Partial<MoveRequest> = {}): Promise<Moved> {
  return moveBranch(deps, await open(repo), { branch: main, from, to, stateDir, limits, ...request });
}

/** Everything a person would see, and what the agent must not leave behind. */
function snapshot(): string {
  const files = git(repo.dir, '-c', 'core.quotePath=false', 'ls-files', '-o', '-c', '-z')
    .split('\0')
    .sort()
    .map((path) => {
      const at = join(repo.dir, path);
      if (path === '' || !existsSync(at) || lstatSync(at).isDirectory()) return path;
      return `${path}=${lstatSync(at).isSymbolicLink() ? readlinkSync(at) : readFileSync(at, 'latin1')}`;
    });
  return [
    git(repo.dir, 'for-each-ref'),
    git(repo.dir, 'symbolic-ref', 'HEAD'),
    git(repo.dir, 'ls-files', '-s'),
    ...files,
    git(repo.dir, 'status', '--porcelain'),
  ].join('\n');
}

async function expectWait(words: RegExp | string, request: Partial<MoveRequest> = {}): Promise<void> {
  const before = snapshot();
  const locks = locksIn(repo.gitDir);
  const moved = await move(request);
  expect(moved).toEqual({ waits: expect.stringMatching(words) });
  expect(snapshot()).toBe(before);
  expect(locksIn(repo.gitDir)).toEqual(locks);
  expect(readdirSync(stateDir)).toEqual([]);
}

function locksIn(gitDir: string): string[] {
  return readdirSync(gitDir, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.lock') || name.includes('xmpp'))
    .sort();
}

function expectMoved(moved: Moved): void {
  expect(moved).toEqual({ moved: true });
  expect(tipOf(repo, 'HEAD')).toBe(to);
  expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  expect(locksIn(repo.gitDir)).toEqual([]);
  expect(readdirSync(stateDir)).toEqual([]);
}

beforeEach(() => {
  stateDir = makeFolder();
  build({ 'a.txt': 'one\n', 'gone.txt': 'bye\n' }, { 'a.txt': 'two\n', 'gone.txt': null, 'dir/new.txt': 'new\n' });
});

describe('moveBranch', () => {
  it('moves branch, index and files, and says so in the reflog of both', async () => {
    expectMoved(await move({ message: 'fast-forward to laptop' }));
    expect(readFileSync(join(repo.dir, 'a.txt'), 'utf8')).toBe('two\n');
    expect(existsSync(join(repo.dir, 'gone.txt'))).toBe(false);
    for (const ref of ['HEAD', 'main'])
      expect(git(repo.dir, 'reflog', '-1', '--format=%H %gs', ref)).toBe(`${to} xmpp: fast-forward to laptop`);
  });

  it('moves beside unrelated changes and untracked files, which stay', async () => {
    writeFiles(repo.dir, { 'kept.txt': 'mine\n', 'untracked.txt': 'mine\n', 'dir/other.txt': 'mine\n' });
    expect(await move()).toEqual({ moved: true });
    expect(git(repo.dir, 'status', '--porcelain')).toBe(' M kept.txt\n?? dir/other.txt\n?? untracked.txt');
  });

  it('sees a change of the same length that was made in the moment in which the index was written', async () => {
    git(repo.dir, 'config', 'core.trustctime', 'false');
    const [file, index] = [join(repo.dir, 'a.txt'), join(repo.dir, '.git/index')];
    const moment = 1_700_000_000.25;
    utimesSync(file, moment, moment);
    git(repo.dir, 'update-index', '--refresh');
    const text = readFileSync(file, 'utf8');
    const mine = 'x'.repeat(text.length);
    writeFileSync(file, mine);
    utimesSync(file, moment, moment);
    utimesSync(index, moment, moment);
    expect(await move()).toHaveProperty('waits');
    expect(readFileSync(file, 'utf8')).toBe(mine);
  });

  it('follows a rewrite to a commit that is no descendant', async () => {
    git(repo.dir, 'checkout', '-q', '--detach');
    git(repo.dir, 'commit', '-q', '--amend', '-m', 'rewritten');
    to = commit(repo, { 'a.txt': 'three\n' }, 'more');
    git(repo.dir, 'checkout', '-q', 'main');
    expectMoved(await move());
  });

  it.each<[string, Record<string, TestFile>, Record<string, TestFile>]>([
    ['a file that becomes a folder', { d: 'file\n' }, { d: null, 'd/e/f': 'x\n' }],
    ['a folder that becomes a file', { 'd/e/f': 'x\n', 'd/g': 'y\n' }, { 'd/e/f': null, 'd/g': null, d: 'file\n' }],
    ['an executable bit', { x: 'x\n' }, { x: { executable: 'x\n' } }],
    ['a link', { x: 'x\n' }, { x: { link: 'a.txt' }, y: { link: '/nowhere' } }],
    ['a link that becomes a file', { x: { link: 'kept.txt' } }, { x: 'x\n' }],
    ['a link that becomes a folder', { x: { link: '.' } }, { x: null, 'x/y': 'y\n' }],
    [
      'names with quotes, line breaks, emoji and spaces',
      { 'a\nb "c"': '1\n' },
      { 'a\nb "c"': '2\n', '🎉 ü': '3\n', "it's": '4\n', ' -x': '5\n' },
    ],
    ['an empty file', {}, { empty: '' }],
    ['a .gitattributes that turns line ends', { 't.txt': 'a\nb\n' }, { '.gitattributes': '*.txt eol=crlf\n', 'u.txt': 'c\nd\n' }],
  ])('moves over %s', async (_what, before, after) => {
    build(before, after);
    expectMoved(await move());
  });

  it('moves an unborn branch to its first commit', async () => {
    git(repo.dir, 'checkout', '-q', '--orphan', 'fresh');
    git(repo.dir, 'rm', '-q', '-r', '-f', '.');
    expect(await move({ branch: parseRefName('refs/heads/fresh'), from: undefined })).toEqual({ moved: true });
    expect(tipOf(repo, 'fresh')).toBe(to);
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  });

  it('keeps an ignored file that an unborn branch would overwrite', async () => {
    git(repo.dir, 'checkout', '-q', '--orphan', 'fresh');
    git(repo.dir, 'rm', '-q', '-r', '-f', '.');
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), 'a.txt\n');
    writeFiles(repo.dir, { 'a.txt': 'mine\n' });
    expect(await move({ branch: parseRefName('refs/heads/fresh'), from: undefined })).toEqual({
      waits: expect.stringContaining('a.txt'),
    });
    expect(readFileSync(join(repo.dir, 'a.txt'), 'utf8')).toBe('mine\n');
  });

  it('moves a branch that is not checked out, with no file touched', async () => {
    git(repo.dir, 'branch', "grün/#1-'🎉", from);
    const branch = parseRefName("refs/heads/grün/#1-'🎉");
    expect(await move({ branch })).toEqual({ moved: true });
    expect(tipOf(repo, branch)).toBe(to);
    expect(tipOf(repo, 'main')).toBe(from);
    expect(await move({ branch })).toEqual({ waits: expect.stringContaining('moved') });
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  });

  it('moves a checked-out branch with a name outside ASCII', async () => {
    git(repo.dir, 'checkout', '-q', '-b', 'grün/#1-\'🎉"');
    expectMoved(await move({ branch: parseRefName('refs/heads/grün/#1-\'🎉"') }));
  });

  it('moves a branch in a linked work tree', async () => {
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', '-b', 'side', linked, from);
    expect(await move({ branch: parseRefName('refs/heads/side') })).toEqual({ moved: true });
    expect(git(linked, 'status', '--porcelain')).toBe('');
    expect(readFileSync(join(linked, 'a.txt'), 'utf8')).toBe('two\n');
    expect(readFileSync(join(repo.dir, 'a.txt'), 'utf8')).toBe('one\n');
    repo = { dir: linked, gitDir: repo.gitDir };
    to = commit(repo, { 'b.txt': 'b' }, 'b');
    git(linked, 'reset', '-q', '--hard', 'HEAD~1');
    expect(await move({ branch: parseRefName('refs/heads/side'), from: tipOf(repo, 'HEAD') })).toEqual({ moved: true });
    rmSync(linked, { recursive: true });
  });

  it('waits for a branch that is checked out twice, and touches neither', async () => {
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', '-f', linked, 'main');
    await expectWait(/checked out twice/);
    expect(git(linked, 'status', '--porcelain')).toBe('');
  });

  it('lets go of the index before the branch is seen to have moved', async () => {
    let isLocked: boolean | undefined;
    const lock = join(repo.gitDir, 'index.lock');
    const onStage = (stage: string): void => {
      if (stage === 'committed') isLocked = existsSync(lock);
    };
    expectMoved(await moveBranch({ ...deps, onStage }, await open(repo), { branch: main, from, to, stateDir, limits }));
    expect(isLocked).toBe(false);
  });

  it('waits when the linked work tree is gone', async () => {
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', '-b', 'side', linked, from);
    renameSync(linked, `${linked}-away`);
    const moved = await move({ branch: parseRefName('refs/heads/side') });
    expect(moved).toEqual({ waits: expect.stringContaining('is not there') });
    expect(tipOf(repo, 'side')).toBe(from);
  });

  it('leaves the ref to receive-pack when asked', async () => {
    expect(await move({ isRefLeft: true })).toEqual({ moved: true });
    expect(tipOf(repo, 'main')).toBe(from);
    expect(locksIn(repo.gitDir)).toEqual([]);
    git(repo.dir, 'update-ref', 'refs/heads/main', to, from);
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  });

  it('says once, and leaves no rejection behind, where no process can be started any more', async () => {
    build({ a: '1' }, { a: '2' });
    const before = snapshot();
    const full = (): never => {
      throw new Fault('too-many-files', 'git could not be started: too many files are open');
    };
    await expect(moveBranch({ ...deps, startGit: full }, await open(repo), { branch: main, from, to, stateDir, limits })).rejects.toMatchObject({ code: 'too-many-files' });
    await new Promise(setImmediate);
    expect(snapshot()).toBe(before);
  });

  it('runs no hook', async () => {
    const mark = join(makeFolder(), 'ran');
    for (const name of ['post-checkout', 'post-merge', 'reference-transaction', 'post-index-change']) {
      writeFiles(repo.dir, { [`.git/hooks/${name}`]: { executable: `#!/bin/sh\necho ran > '${mark}'\n` } });
    }
    const moved = await move();
    expect(existsSync(mark)).toBe(false);
    expectMoved(moved);
  });

  it('is not misled by a file whose date alone has changed', async () => {
    utimesSync(join(repo.dir, 'a.txt'), 1, 1);
    expectMoved(await move());
  });

  it('moves with a split index', async () => {
    git(repo.dir, 'update-index', '--split-index');
    expectMoved(await move());
  });

  it('waits for a changed file', async () => {
    appendFileSync(join(repo.dir, 'a.txt'), 'mine\n');
    await expectWait('a.txt has changes');
  });

  it('waits for a changed file that is marked as unchanged', async () => {
    git(repo.dir, 'update-index', '--assume-unchanged', 'a.txt');
    appendFileSync(join(repo.dir, 'a.txt'), 'mine\n');
    await expectWait('a.txt has changes');
    git(repo.dir, 'update-index', '--no-assume-unchanged', '--skip-worktree', 'a.txt');
    await expectWait('a.txt');
  });

  it('waits for a changed file that would be deleted', async () => {
    appendFileSync(join(repo.dir, 'gone.txt'), 'mine\n');
    await expectWait('gone.txt has changes');
  });

  it('waits for a staged file, related or not', async () => {
    writeFiles(repo.dir, { 'kept.txt': 'mine\n' });
    git(repo.dir, 'add', 'kept.txt');
    await expectWait('staged');
  });

  it('waits for a staged file that is what the new commit has', async () => {
    writeFiles(repo.dir, { 'a.txt': 'two\n' });
    git(repo.dir, 'add', 'a.txt');
    await expectWait('staged');
  });

  it('waits for a path marked by git add -N', async () => {
    writeFiles(repo.dir, { 'soon.txt': 'mine\n' });
    git(repo.dir, 'add', '-N', 'soon.txt');
    await expectWait('staged');
  });

  it('waits for an untracked file in the way', async () => {
    writeFiles(repo.dir, { 'dir/new.txt': 'mine\n' });
    await expectWait('dir/new.txt is in the way');
  });

  it('waits for an ignored file in the way, and for one that is the same', async () => {
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), 'dir/\n*.txt\n');
    writeFiles(repo.dir, { 'dir/new.txt': 'mine\n' });
    await expectWait('dir/new.txt is in the way');
    writeFiles(repo.dir, { 'dir/new.txt': 'new\n' });
    await expectWait('dir/new.txt is in the way');
  });

  it('waits for an ignored file where a folder would be', async () => {
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), 'dir\n');
    writeFiles(repo.dir, { dir: 'mine\n' });
    await expectWait('dir is in the way');
  });

  it('waits for a link where a folder would be, and writes nothing through it', async () => {
    const outside = makeFolder();
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), 'dir\n');
    symlinkSync(outside, join(repo.dir, 'dir'));
    await expectWait('dir is in the way');
    expect(readdirSync(outside)).toEqual([]);
  });

  it('waits for an ignored file in a folder that becomes a file', async () => {
    build({ 'd/e/f': 'x\n' }, { 'd/e/f': null, d: 'file\n' });
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), '.env\n');
    writeFiles(repo.dir, { 'd/e/.env': 'secret\n' });
    await expectWait('d/e/.env is in the way');
  });

  it('keeps an ignored file in a folder whose tracked files go', async () => {
    build({ 'd/e/f': 'x\n' }, { 'd/e/f': null });
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), '.env\n');
    writeFiles(repo.dir, { 'd/e/.env': 'secret\n' });
    expect(await move()).toEqual({ moved: true });
    expect(readFileSync(join(repo.dir, 'd/e/.env'), 'utf8')).toBe('secret\n');
  });

  it('waits for a file whose name is not UTF-8', async () => {
    const name = Buffer.from([0x66, 0xfc, 0x2e, 0x74]);
    const blob = git(repo.dir, 'rev-parse', `${to}:a.txt`);
    git(repo.dir, 'read-tree', to);
    const { execFileSync } = await import('node:child_process');
    execFileSync('git', ['-C', repo.dir, 'update-index', '-z', '--index-info'], {
      input: Buffer.concat([Buffer.from(`100644 ${blob}\t`), name, Buffer.from([0])]),
    });
    const tree = git(repo.dir, 'write-tree');
    to = tipAs(git(repo.dir, 'commit-tree', '-p', from, '-m', 'latin', tree));
    git(repo.dir, 'reset', '-q', '--hard', from);
    const at = Buffer.concat([Buffer.from(`${repo.dir}/`), name]);
    writeFileSync(at, 'mine\n');
    writeFileSync(join(repo.gitDir, 'info', 'exclude'), '*.t\n');
    expect(await move()).toEqual({ waits: expect.stringContaining('in the way') });
    expect(readFileSync(at, 'utf8')).toBe('mine\n');
    rmSync(at);
    expect(await move()).toEqual({ moved: true });
    expect(readFileSync(at, 'utf8')).toBe('two\n');
  });

  it("waits for somebody's index.lock, and leaves it", async () => {
    writeFileSync(join(repo.gitDir, 'index.lock'), '');
    await expectWait('index');
    expect(existsSync(join(repo.gitDir, 'index.lock'))).toBe(true);
  });

  it('waits for a lock on the branch or on HEAD', async () => {
    for (const lock of ['refs/heads/main.lock', 'HEAD.lock']) {
      writeFileSync(join(repo.gitDir, lock), '');
      await expectWait('locked');
      rmSync(join(repo.gitDir, lock));
    }
  });

  it('waits when the branch has moved', async () => {
    git(repo.dir, 'commit', '-q', '--allow-empty', '-m', 'mine');
    await expectWait('moved');
  });

  it('waits when HEAD is switched after the branch was looked up', async () => {
    const repository = await open(repo);
    git(repo.dir, 'branch', 'other');
    const switching = {
      ...deps,
      onStage: (stage: string) => {
        if (stage === 'journalled') writeFileSync(join(repo.gitDir, 'HEAD'), 'ref: refs/heads/other\n');
      },
    };
    const moved = await moveBranch(switching, repository, { branch: main, from, to, stateDir, limits });
    expect(moved).toEqual({ waits: expect.stringContaining('another branch') });
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
    expect(tipOf(repo, 'main')).toBe(from);
  });

  it('waits for a tree that is over a limit', async () => {
    await expectWait('more than 2 files', { limits: { paths: 2, bytes: 1000 } });
    await expectWait('more than 7', { limits: { paths: 10, bytes: 7 } });
    expect(await move({ limits: { paths: 3, bytes: 8 } })).toEqual({ moved: true });
  });

  it('waits in a sparse checkout', async () => {
    git(repo.dir, 'sparse-checkout', 'set', 'dir');
    await expectWait('sparse');
    git(repo.dir, 'sparse-checkout', 'disable');
    expect(await move()).toEqual({ moved: true });
  });

  it.each<[string, RegExp, () => void]>([
    ['a merge', /merge/, () => git(repo.dir, 'merge', '--no-commit', '--no-ff', to)],
    ['a cherry-pick', /cherry-pick/, () => writeFileSync(join(repo.gitDir, 'CHERRY_PICK_HEAD'), `${to}\n`)],
    ['a revert', /revert/, () => writeFileSync(join(repo.gitDir, 'REVERT_HEAD'), `${to}\n`)],
    [
      'git am',
      /git am/,
      () => {
        mkdirSync(join(repo.gitDir, 'rebase-apply'));
        writeFileSync(join(repo.gitDir, 'rebase-apply', 'applying'), '');
      },
    ],
  ])('waits while %s is under way', async (_what, words, start) => {
    start();
    await expectWait(words);
  });

  it('waits while the branch is under rebase or bisect', async () => {
    git(repo.dir, 'branch', 'other', from);
    git(repo.dir, 'checkout', '-q', 'other');
    mkdirSync(join(repo.gitDir, 'rebase-merge'));
    writeFileSync(join(repo.gitDir, 'rebase-merge', 'head-name'), 'refs/heads/main\n');
    await expectWait('rebase');
    writeFileSync(join(repo.gitDir, 'rebase-merge', 'head-name'), 'refs/heads/other\n');
    writeFileSync(join(repo.gitDir, 'rebase-merge', 'update-refs'), `refs/heads/main\n${from}\n${to}\n`);
    await expectWait('rebase');
    rmSync(join(repo.gitDir, 'rebase-merge'), { recursive: true });
    writeFileSync(join(repo.gitDir, 'BISECT_START'), 'main\n');
    await expectWait('bisect');
    rmSync(join(repo.gitDir, 'BISECT_START'));
    expect(await move()).toEqual({ moved: true });
  });

  it('waits when a real rebase of the branch has stopped', async () => {
    git(repo.dir, 'checkout', '-q', '-b', 'onto', to);
    git(repo.dir, 'checkout', '-q', 'main');
    from = commit(repo, { 'a.txt': 'clash\n' }, 'clash');
    expect(() => git(repo.dir, 'rebase', 'onto')).toThrow();
    expect(await move()).toEqual({ waits: expect.stringContaining('rebase') });
    expect(tipOf(repo, 'main')).toBe(from);
  });

  it('moves a branch of a bare repository', async () => {
    const bare = makeRepo({ isBare: true });
    git(repo.dir, 'push', '-q', bare.dir, `${from}:refs/heads/main`, `${to}:refs/heads/later`);
    repo = bare;
    expect(await move()).toEqual({ moved: true });
    expect(tipOf(bare, 'main')).toBe(to);
  });

  it('moves in a SHA-256 repository', async () => {
    repo = makeRepo({ args: ['--object-format=sha256'] });
    from = commit(repo, { 'a.txt': 'one\n' }, 'one');
    to = commit(repo, { 'a.txt': 'two\n' }, 'two');
    git(repo.dir, 'reset', '-q', '--hard', from);
    expectMoved(await move());
  });

  it('waits when the files cannot be written, and finishes later', async () => {
    build({ 'a.txt': 'one\n' }, { 'a.txt': 'two\n', 'z.txt': 'z\n' });
    // Where no repository's attributes are looked for, so that the filter is met only when it fails.
    const attributes = join(makeFolder(), 'attributes');
    writeFileSync(attributes, 'z.txt filter=broken\n');
    git(repo.dir, 'config', 'core.attributesFile', attributes);
    git(repo.dir, 'config', 'filter.broken.smudge', 'false');
    git(repo.dir, 'config', 'filter.broken.clean', 'cat');
    git(repo.dir, 'config', 'filter.broken.required', 'true');
    const waits = await move();
    expect(waits).toEqual({ waits: expect.stringContaining('could not be finished') });
    expect(tipOf(repo, 'main')).toBe(from);
    expect(existsSync(join(repo.gitDir, 'index.lock'))).toBe(false);
    git(repo.dir, 'config', 'filter.broken.smudge', 'cat');
    expect(await move()).toEqual({ waits: expect.stringContaining('moved') });
    expectMoved({ moved: true });
  });
});

function tipAs(text: string): Oid {
  return tipOf({ dir: repo.dir, gitDir: repo.gitDir }, text);
}
