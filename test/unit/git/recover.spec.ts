// A move that is killed, agent and git alike, at every stage; and what a person did meanwhile.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { moveBranch } from '../../../src/git/move.ts';
import type { MoveStage } from '../../../src/git/move.ts';
import { recoverMove } from '../../../src/git/recover.ts';
import type { Recovered } from '../../../src/git/recover.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { allEnded } from '../../helpers/processes.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const main = parseRefName('refs/heads/main');
const deps = { runGit: createRunGit(cleanEnv()), startGit: createStartGit(cleanEnv()) };
const limits = { paths: 1000, bytes: 1 << 20 };

/** Moves, and at a stage kills the git processes it has started (when asked) and itself. Without a stage it recovers. */
const AGENT = `
import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createRunGit, createStartGit } from './src/git/run.ts';
import { openRepository } from './src/git/repository.ts';
import { moveBranch } from './src/git/move.ts';
import { recoverMove } from './src/git/recover.ts';
const { dir, stage, from, to, stateDir, isGitKilled, isFilter, putBack, meanwhile } = JSON.parse(process.argv[2]);
const children = () => execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\\n')
  .map((line) => line.trim().split(/ +/).map(Number))
  .filter(([pid, parent]) => parent === process.pid && pid > 0).map(([pid]) => pid);
const deps = { runGit: createRunGit(process.env), startGit: createStartGit(process.env) };
const repository = await openRepository(deps.runGit, dir);
const smudge = 'if test -e .git/once; then cat; else touch .git/once; kill -9 ' + process.pid + ' $PPID; fi';
if (isFilter) await deps.runGit(['config', 'filter.slow.smudge', smudge], { dir });
const onStage = (now) => {
  if (now !== stage) return;
  const pids = children();
  process.stdout.write(pids.join(' ') + '\\n');
  for (const pid of isGitKilled ? pids : []) try { process.kill(pid, 'SIGKILL'); } catch {}
  if (!isFilter) process.kill(process.pid, 'SIGKILL');
};
const { rename } = fs;
let renames = 0;
fs.rename = (one, other) => {
  if (String(one).includes('xmpp-undo') && renames++ === putBack) {
    if (meanwhile === undefined) process.kill(process.pid, 'SIGKILL');
    execFileSync('sh', ['-c', meanwhile], { cwd: dir });
  }
  return rename(one, other);
};
syncBuiltinESMExports();
const limits = { paths: 1000, bytes: 1e6 };
if (stage === undefined) {
  await recoverMove(deps, repository, { stateDir });
  process.kill(process.pid, 'SIGKILL');
} else await moveBranch({ ...deps, onStage }, repository, { branch: 'refs/heads/main', from, to, stateDir, limits });
process.exit(3);
`;

let agent: string;
let repo: TestRepo;
let stateDir: string;
let from: Oid;
let to: Oid;

beforeAll(() => {
  agent = join(makeFolder(), 'agent.mjs');
  buildSync({
    stdin: { contents: AGENT, resolveDir: process.cwd(), loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: agent,
    logLevel: 'error',
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
});

beforeEach(() => {
  repo = makeRepo();
  stateDir = makeFolder();
  from = commit(
    repo,
    { 'a.txt': 'one\n', 'd/gone.txt': 'bye\n', 'kept.txt': 'kept\n', 'm.txt': 'old middle\n', flip: 'file\n' },
    'before',
  );
  to = commit(
    repo,
    { 'a.txt': 'two\n', 'd/gone.txt': null, 'm.txt': 'new middle, longer\n', 'new/z.txt': 'z\n', flip: null, 'flip/x': 'x\n' },
    'after',
  );
  git(repo.dir, 'reset', '-q', '--hard', from);
});

/** Runs the agent until it dies, and waits for the git processes it leaves. */
async function crash(asked: {
  /** Absent: while it recovers. */
  readonly stage?: MoveStage;
  readonly isGitKilled?: boolean;
  readonly isFilter?: boolean;
  /** Killed when it has put back so many files. */
  readonly putBack?: number;
  /** A command of somebody that runs at that moment, in place of the kill. */
  readonly meanwhile?: string;
}): Promise<void> {
  const argument = JSON.stringify({ dir: repo.dir, from, to, stateDir, ...asked });
  const child = spawn(process.execPath, [agent, argument], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const signal = await new Promise((resolve) => {
    child.on('close', (_code, by) => resolve(by));
  });
  expect(signal).toBe('SIGKILL');
  const pids = told
    .trim()
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number);
  await allEnded(pids);
}

async function recover(): Promise<Recovered> {
  return recoverMove(deps, await open(repo), { stateDir });
}

function leftovers(): string[] {
  return [
    ...readdirSync(repo.gitDir, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.lock') || name.includes('xmpp')),
    ...readdirSync(stateDir),
  ];
}

function expectAt(tip: Oid): void {
  expect(tipOf(repo, 'main')).toBe(tip);
  expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  expect(leftovers()).toEqual([]);
  git(repo.dir, 'commit', '-q', '--allow-empty', '-m', 'git is free');
}

/** Everything is as before, but for one file of somebody, and git is free. */
function expectUndone(path: string, content: string): void {
  expect(tipOf(repo, 'main')).toBe(from);
  expect(git(repo.dir, 'status', '--porcelain', '-uall')).toMatch(new RegExp(`^( M|\\?\\?) ${path}$`));
  expect(readFileSync(join(repo.dir, path), 'utf8')).toBe(content);
  expect(leftovers()).toEqual([]);
  if (!path.startsWith('new')) expect(readdirSync(repo.dir)).not.toContain('new');
}

/** What, where, and content that is neither old nor new nor a beginning of the new. */
const FOREIGN: readonly (readonly [string, string, string])[] = [
  ['a changed file', 'm.txt', 'mine\n'],
  ['a beginning of the old content', 'm.txt', 'old mid'],
  ['a file that goes on after the new content', 'a.txt', 'two\nand mine\n'],
  ['a changed file that would go', 'd/gone.txt', 'mine\n'],
  ['a new file in the way', 'new/z.txt', 'mine\n'],
  ['a file where a folder would be', 'new', 'mine\n'],
];

describe('recoverMove', () => {
  it('has nothing to do where nothing was cut short', async () => {
    expect(await recover()).toBeUndefined();
    expectAt(from);
  });

  for (const isGitKilled of [false, true]) {
    const who = isGitKilled ? 'agent and git are' : 'the agent is';
    it.each<MoveStage>(['journalled', 'locked', 'prepared', 'noted', 'checked'])(
      `leaves everything as it was when ${who} killed once %s`,
      async (stage) => {
        await crash({ stage, isGitKilled });
        expect(leftovers()).not.toEqual([]);
        expect(await recover()).toBeUndefined();
        expectAt(from);
      },
    );

    it.each<MoveStage>(['written', 'installed', 'committed'])(`finishes when ${who} killed once %s`, async (stage) => {
      await crash({ stage, isGitKilled });
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });

    it(`finishes when ${who} killed with half of the files written`, async () => {
      // Where no repository's attributes are looked for, so that the filter is met only while git writes.
      const attributes = join(makeFolder(), 'attributes');
      writeFileSync(attributes, 'm.txt filter=slow\n');
      git(repo.dir, 'config', 'core.attributesFile', attributes);
      git(repo.dir, 'config', 'filter.slow.clean', 'cat');
      to = commit(repo, { 'a.txt': 'two\n', 'd/gone.txt': null, 'm.txt': 'new middle\n', 'new/z.txt': 'z\n' }, 'after');
      git(repo.dir, 'reset', '-q', '--hard', from);
      await crash({ stage: 'checked', isGitKilled, isFilter: true });
      expect(readFileSync(join(repo.dir, 'a.txt'), 'utf8')).toBe('two\n');
      expect(existsSync(join(repo.dir, 'new/z.txt'))).toBe(false);
      expect(tipOf(repo, 'main')).toBe(from);
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });
  }

  it('marks what it finishes in the reflog', async () => {
    await crash({ stage: 'written' });
    await recover();
    expect(git(repo.dir, 'reflog', '-1', '--format=%H %gs', 'HEAD')).toMatch(new RegExp(`^${to} xmpp: finish`));
  });

  it('is what the next move does first', async () => {
    await crash({ stage: 'written' });
    const moved = await moveBranch(deps, await open(repo), { branch: main, from: to, to, stateDir, limits });
    expect(moved).toEqual({ moved: true });
    expectAt(to);
  });

  describe('after a crash with nothing written', () => {
    beforeEach(() => crash({ stage: 'checked', isGitKilled: true }));

    it.each<[string, Record<string, string>]>([
      ['a file that is begun', { 'm.txt': 'new mid' }],
      ['a file that is begun and empty', { 'm.txt': '' }],
      ['an added file that is begun', { 'a.txt': 'two\n', 'new/z.txt': '' }],
    ])('finishes %s', async (_what, files) => {
      writeFiles(repo.dir, files);
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });

    it('finishes where a file is absent, for git removes the old one first', async () => {
      rmSync(join(repo.dir, 'm.txt'));
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });

    it('finishes where the deletions are done', async () => {
      rmSync(join(repo.dir, 'd'), { recursive: true });
      rmSync(join(repo.dir, 'flip'));
      mkdirSync(join(repo.dir, 'flip'));
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });

    it('keeps changes beside it', async () => {
      writeFiles(repo.dir, { 'a.txt': 'two\n', 'kept.txt': 'mine\n', 'other.txt': 'mine\n' });
      expect(await recover()).toEqual({ finished: main });
      expect(git(repo.dir, 'status', '--porcelain')).toBe(' M kept.txt\n?? other.txt');
    });

    it.each(FOREIGN)('has nothing to undo where there is only %s', async (_what, path, content) => {
      writeFiles(repo.dir, { [path]: content });
      expect(await recover()).toBeUndefined();
      expectUndone(path, content);
    });

    it('undoes what is begun beside a change of somebody', async () => {
      rmSync(join(repo.dir, 'd'), { recursive: true });
      writeFiles(repo.dir, { 'a.txt': 'mine\n', 'm.txt': 'new mid', 'new/z.txt': '' });
      expect(await recover()).toEqual({ undone: main });
      expectUndone('a.txt', 'mine\n');
    });

    it('undoes beside a link in the way, and writes nothing through it', async () => {
      const outside = makeFolder();
      symlinkSync(outside, join(repo.dir, 'new'));
      writeFiles(repo.dir, { 'a.txt': 'two\n' });
      expect(await recover()).toEqual({ undone: main });
      expect(git(repo.dir, 'status', '--porcelain')).toBe('?? new');
      expect(readdirSync(outside)).toEqual([]);
    });

    it('removes no folder that holds what is not in git', async () => {
      writeFiles(repo.dir, { 'a.txt': 'mine\n', 'new/z.txt': 'z\n', 'new/other.txt': 'other\n' });
      expect(await recover()).toEqual({ undone: main });
      expect(git(repo.dir, 'status', '--porcelain', '-uall')).toBe(' M a.txt\n?? new/other.txt');
    });

    it('stops and names what lies where old content would come back, touches nothing, and lets go of git', async () => {
      rmSync(join(repo.dir, 'flip'));
      writeFiles(repo.dir, { 'a.txt': 'two\n', 'flip/x': 'mine\n' });
      const before = git(repo.dir, 'status', '--porcelain', '-uall');
      expect(await recover()).toEqual({ stopped: expect.stringContaining(' flip/x ') });
      expect(git(repo.dir, 'status', '--porcelain', '-uall')).toBe(before);
      expect(existsSync(join(repo.gitDir, 'index.lock'))).toBe(false);
      const again = await moveBranch(deps, await open(repo), { branch: main, from, to, stateDir, limits });
      expect(again).toEqual({ waits: expect.stringContaining('flip/x') });
      git(repo.dir, 'stash', '-q', '-u');
      expect(await recover()).toBeUndefined();
      expect(git(repo.dir, 'status', '--porcelain')).toBe('');
    });

    it('stops where something is staged beside a change of somebody', async () => {
      rmSync(join(repo.gitDir, 'index.lock'));
      writeFiles(repo.dir, { 'a.txt': 'two\n', 'm.txt': 'mine\n' });
      git(repo.dir, 'add', 'm.txt');
      expect(await recover()).toEqual({ stopped: expect.stringContaining(' m.txt ') });
      expect(git(repo.dir, 'status', '--porcelain')).toBe(' M a.txt\nM  m.txt');
    });

    it.skipIf(!existsSync('/proc/self/fd'))('gives nothing up while a git that was left is still writing', async () => {
      const held = openSync(join(repo.gitDir, 'xmpp-index.lock'), 'w');
      expect(await recover()).toEqual({ stopped: expect.stringContaining('git is still writing') });
      writeFiles(repo.dir, { 'a.txt': 'two\n', 'm.txt': 'mine\n' });
      expect(await recover()).toEqual({ stopped: expect.stringContaining('git is still writing') });
      expect(readFileSync(join(repo.dir, 'a.txt'), 'utf8')).toBe('two\n');
      closeSync(held);
      expect(await recover()).toEqual({ undone: main });
      expectUndone('m.txt', 'mine\n');
    });

    it('never removes an index.lock that is not its own', async () => {
      rmSync(join(repo.gitDir, 'index.lock'));
      writeFileSync(join(repo.gitDir, 'index.lock'), 'somebody');
      const { ino } = statSync(join(repo.gitDir, 'index.lock'));
      expect(await recover()).toBeUndefined();
      expect(statSync(join(repo.gitDir, 'index.lock')).ino).toBe(ino);
    });

    it('waits with a half-done move while somebody else holds the index', async () => {
      rmSync(join(repo.gitDir, 'index.lock'));
      writeFileSync(join(repo.gitDir, 'index.lock'), 'somebody');
      writeFiles(repo.dir, { 'a.txt': 'two\n' });
      expect(await recover()).toEqual({ stopped: expect.stringContaining('git is at work') });
      expect(readFileSync(join(repo.gitDir, 'index.lock'), 'utf8')).toBe('somebody');
      rmSync(join(repo.gitDir, 'index.lock'));
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });

    it('gives way when a person has freed git and moved on', async () => {
      for (const lock of ['index.lock', 'HEAD.lock', 'refs/heads/main.lock']) rmSync(join(repo.gitDir, lock), { force: true });
      const tip = commit(repo, { 'mine.txt': 'mine\n' }, 'mine');
      writeFiles(repo.dir, { 'm.txt': 'more of mine\n' });
      expect(await recover()).toBeUndefined();
      expect(tipOf(repo, 'main')).toBe(tip);
      expect(git(repo.dir, 'status', '--porcelain')).toBe(' M m.txt');
      expect(leftovers()).toEqual([]);
    });

    it('does not remove a lock on the branch that is not its own', async () => {
      rmSync(join(repo.gitDir, 'refs/heads/main.lock'));
      writeFileSync(join(repo.gitDir, 'refs/heads/main.lock'), '');
      expect(await recover()).toBeUndefined();
      expect(existsSync(join(repo.gitDir, 'refs/heads/main.lock'))).toBe(true);
    });
  });

  describe('after a crash with all files written', () => {
    it.each(FOREIGN)('undoes the move where there is %s', async (_what, path, content) => {
      await crash({ stage: 'written', isGitKilled: true });
      if (path === 'new') rmSync(join(repo.dir, 'new'), { recursive: true });
      writeFiles(repo.dir, { [path]: content });
      expect(await recover()).toEqual({ undone: main });
      expectUndone(path, content);
      const again = await moveBranch(deps, await open(repo), { branch: main, from, to, stateDir, limits });
      expect(again).toEqual({ waits: expect.stringContaining(path) });
    });

    it('gives back modes and links', async () => {
      git(repo.dir, 'reset', '-q', '--hard', from);
      symlinkSync('kept.txt', join(repo.dir, 'link'));
      writeFileSync(join(repo.dir, 'run.sh'), 'run\n', { mode: 0o755 });
      from = commit(repo, {}, 'a link and a program');
      git(repo.dir, 'rm', '-q', 'link', 'run.sh');
      to = commit(repo, { 'm.txt': 'new middle, longer\n' }, 'without them');
      git(repo.dir, 'reset', '-q', '--hard', from);
      await crash({ stage: 'written', isGitKilled: true });
      writeFiles(repo.dir, { 'm.txt': 'mine\n' });
      expect(await recover()).toEqual({ undone: main });
      expectUndone('m.txt', 'mine\n');
    });

    it('finishes where the index was new already: what was changed since is a change like any other', async () => {
      await crash({ stage: 'installed', isGitKilled: true });
      writeFiles(repo.dir, { 'm.txt': 'mine\n', 'flip/x': 'mine\n' });
      expect(await recover()).toEqual({ finished: main });
      expect(tipOf(repo, 'main')).toBe(to);
      expect(git(repo.dir, 'status', '--porcelain')).toBe(' M flip/x\n M m.txt');
      expect(leftovers()).toEqual([]);
    });

    it.each([false, true])('undoes after a crash while old content was written (git killed too: %s)', async (isGitKilled) => {
      const attributes = join(makeFolder(), 'attributes');
      writeFileSync(attributes, 'm.txt filter=slow\n');
      git(repo.dir, 'config', 'core.attributesFile', attributes);
      git(repo.dir, 'config', 'filter.slow.clean', 'cat');
      await crash({ stage: 'written', isGitKilled: true });
      writeFiles(repo.dir, { 'a.txt': 'mine\n' });
      await crash({ isGitKilled, isFilter: true });
      expect(readdirSync(repo.gitDir)).toContain('xmpp-undo');
      expect(await recover()).toEqual({ undone: main });
      expectUndone('a.txt', 'mine\n');
    });

    it.each([0, 1, 2])('undoes after a crash with %s files put back', async (putBack) => {
      await crash({ stage: 'written', isGitKilled: true });
      writeFiles(repo.dir, { 'm.txt': 'mine\n' });
      await crash({ putBack });
      // a.txt, d/gone.txt, flip: in the order of git.
      const isBack = [readFileSync(join(repo.dir, 'a.txt'), 'utf8') === 'one\n', existsSync(join(repo.dir, 'd/gone.txt')), existsSync(join(repo.dir, 'flip'))];
      expect(isBack).toEqual([0, 1, 2].map((index) => index < putBack));
      expect(await recover()).toEqual({ undone: main });
      expectUndone('m.txt', 'mine\n');
    });

    it.each([
      ['a file that would come back', 'mkdir -p d; echo mine > d/gone.txt', 'd/gone.txt'],
      ['a file that would be replaced', 'echo mine > run.txt', 'run.txt'],
    ])('writes nothing over %s and is written in that moment', async (_what, meanwhile, name) => {
      git(repo.dir, 'reset', '-q', '--hard', from);
      from = commit(repo, { 'run.txt': 'old\n' }, 'before');
      to = commit(repo, { 'a.txt': 'two\n', 'd/gone.txt': null, 'm.txt': 'new middle\n', 'run.txt': 'new\n' }, 'after');
      git(repo.dir, 'reset', '-q', '--hard', from);
      await crash({ stage: 'written', isGitKilled: true });
      writeFiles(repo.dir, { 'm.txt': 'mine\n' });
      await crash({ putBack: 0, meanwhile });
      expect(existsSync(join(repo.gitDir, 'index.lock'))).toBe(false);
      expect(readdirSync(stateDir)).toHaveLength(1);
      // The last file of all was the one: nothing is left to undo.
      expect(await recover()).toEqual(name === 'run.txt' ? undefined : { undone: main });
      expect(readFileSync(join(repo.dir, name), 'utf8')).toBe('mine\n');
      expect(git(repo.dir, 'status', '--porcelain').split('\n')).toEqual([name, 'm.txt'].toSorted().map((path) => ` M ${path}`));
      expect(leftovers()).toEqual([]);
    });

    it('finishes after all, when it was undone in part and what was in the way is gone', async () => {
      await crash({ stage: 'written', isGitKilled: true });
      writeFiles(repo.dir, { 'm.txt': 'mine\n' });
      await crash({ putBack: 1 });
      writeFiles(repo.dir, { 'm.txt': 'old middle\n' });
      expect(await recover()).toEqual({ finished: main });
      expectAt(to);
    });
  });

  it('refuses a journal that is not one, by name', async () => {
    await crash({ stage: 'checked' });
    const [name] = readdirSync(stateDir);
    writeFileSync(join(stateDir, name ?? ''), '{"version":1,"path":');
    await expect(recover()).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining(name ?? '') });
  });
});
