// A commit by itself that is killed, agent and git alike, at every stage; and what a person did meanwhile.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { autoCommit } from '../../../src/git/auto-commit.ts';
import type { CommitStage } from '../../../src/git/publish-commit.ts';
import { recoverMove } from '../../../src/git/recover.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { allEnded } from '../../helpers/processes.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import type { Oid } from '../../../src/lib/names.ts';

const deps = { runGit: createRunGit(cleanEnv()), startGit: createStartGit(cleanEnv()) };
const STAGES: readonly CommitStage[] = ['journalled', 'locked', 'prepared', 'noted', 'installed', 'committed'];

/** Commits, and at a stage kills the git processes it has started (when asked) and itself. */
const AGENT = `
import { execFileSync } from 'node:child_process';
import { createRunGit, createStartGit } from './src/git/run.ts';
import { openRepository } from './src/git/repository.ts';
import { autoCommit } from './src/git/auto-commit.ts';
const { dir, stage, stateDir, isGitKilled } = JSON.parse(process.argv[2]);
const children = () => execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\\n')
  .map((line) => line.trim().split(/ +/).map(Number))
  .filter(([pid, parent]) => parent === process.pid && pid > 0).map(([pid]) => pid);
const deps = { runGit: createRunGit(process.env), startGit: createStartGit(process.env) };
const repository = await openRepository(deps.runGit, dir);
const onStage = (now) => {
  if (now !== stage) return;
  const pids = children();
  process.stdout.write(pids.join(' ') + '\\n');
  for (const pid of isGitKilled ? pids : []) try { process.kill(pid, 'SIGKILL'); } catch {}
  process.kill(process.pid, 'SIGKILL');
};
await autoCommit({ ...deps, onStage }, repository, { stateDir, message: 'm', maxBytes: 1e6, delayMs: 0, now: Date.now(), mayGo: () => true });
process.exit(3);
`;

let agent: string;
let repo: TestRepo;
let stateDir: string;
let from: Oid;

beforeAll(() => {
  agent = join(makeFolder(), 'agent.mjs');
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
  const stdin = { contents: AGENT, resolveDir: process.cwd(), loader: 'js' as const };
  buildSync({ stdin, bundle: true, platform: 'node', format: 'esm', outfile: agent, logLevel: 'error', banner });
});

beforeEach(() => {
  repo = makeRepo();
  stateDir = makeFolder();
  git(repo.dir, 'config', 'user.name', 'Ann');
  git(repo.dir, 'config', 'user.email', 'ann@example.org');
  from = commit(repo, { a: 'a\n', gone: 'gone\n' }, 'one');
  writeFiles(repo.dir, { a: 'changed\n', gone: null, new: 'new\n' });
});

/** Runs the agent until it dies, and waits for the git processes it leaves. */
async function crash(stage: CommitStage, isGitKilled: boolean): Promise<void> {
  const argument = JSON.stringify({ dir: repo.dir, stateDir, stage, isGitKilled });
  const child = spawn(process.execPath, [agent, argument], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  expect(await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)))).toBe('SIGKILL');
  const pids = told.trim().split(' ').filter(Boolean).map(Number);
  await allEnded(pids);
}

function expectNothingLeft(): void {
  git(repo.dir, 'fsck', '--full', '--no-dangling');
  expect(readdirSync(repo.gitDir).filter((name) => /lock|xmpp/.test(name))).toEqual([]);
  expect(existsSync(join(repo.gitDir, 'refs/heads/main.lock'))).toBe(false);
  expect(readdirSync(stateDir)).toEqual([]);
}

describe('a commit by itself', () => {
  it.each(STAGES.flatMap((stage) => [[stage, true] as const, [stage, false] as const]))('that is killed when %s (git too: %s) leaves nothing half done', async (stage, isGitKilled) => {
    await crash(stage, isGitKilled);
    const repository = await open(repo);
    const recovered = await recoverMove(deps, repository, { stateDir });
    expectNothingLeft();
    const isDone = recovered !== undefined && 'finished' in recovered;
    expect(isDone).toBe(stage === 'installed' || stage === 'committed');
    expect(git(repo.dir, 'status', '--porcelain').split('\n')).toEqual(isDone ? [''] : [' M a', ' D gone', '?? new']);
    const after = await autoCommit(deps, repository, { stateDir, message: 'm', maxBytes: 1e6, delayMs: 0, now: Date.now(), mayGo: () => true });
    expect('leftOut' in after && after.commit !== undefined).toBe(!isDone);
    expect(git(repo.dir, 'log', '--format=%s', '--name-status')).toBe('m\n\nM\ta\nD\tgone\nA\tnew\none\n\nA\ta\nA\tgone');
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
    expectNothingLeft();
  });

  it('that was cut short takes nothing from a person who went on', async () => {
    await crash('installed', true);
    writeFiles(repo.dir, { a: 'by hand\n' });
    expect(await recoverMove(deps, await open(repo), { stateDir })).toEqual({ finished: 'refs/heads/main' });
    expect(git(repo.dir, 'status', '--porcelain')).toBe(' M a');
    expect(git(repo.dir, 'rev-parse', 'HEAD~1')).toBe(from);
    expectNothingLeft();
  });

  it('that was cut short gives way to a person who has staged something since', async () => {
    await crash('installed', true);
    rmSync(join(repo.gitDir, 'index.lock'));
    writeFiles(repo.dir, { a: 'by hand\n' });
    git(repo.dir, 'add', 'a');
    expect(await recoverMove(deps, await open(repo), { stateDir })).toBeUndefined();
    expect(git(repo.dir, 'status', '--porcelain')).toBe('M  a\nD  gone\nA  new');
    expect(tipOf(repo, 'main')).toBe(from);
    expectNothingLeft();
  });
});
