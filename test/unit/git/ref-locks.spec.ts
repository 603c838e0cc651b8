// git killed under a move or a commit while the agent lives on: its locks would bar the person's own git for good.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { autoCommit } from '../../../src/git/auto-commit.ts';
import { moveBranch } from '../../../src/git/move.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { open } from '../../helpers/git-pipe.ts';
import { descendantsOf } from '../../helpers/processes.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const deps = { runGit: createRunGit(cleanEnv()), startGit: createStartGit(cleanEnv()) };
const BRANCH = parseRefName('refs/heads/main');

let repo: TestRepo;
let from: Oid;
let to: Oid;

beforeEach(() => {
  repo = makeRepo();
  git(repo.dir, 'config', 'user.name', 'Ann');
  git(repo.dir, 'config', 'user.email', 'ann@example.org');
  from = commit(repo, { a: 'a\n' }, 'one');
  to = commit(repo, { a: 'b\n', b: 'b\n' }, 'two');
  git(repo.dir, 'reset', '--quiet', '--hard', from);
});

/** Kills the update of refs, as `kill -9` does, once it has come so far. */
function killAt(stage: string, andThen: () => void = () => undefined): (now: string) => void {
  return (now) => {
    if (now !== stage) return;
    for (const pid of descendantsOf(process.pid).filter(isUpdate)) process.kill(pid, 'SIGKILL');
    andThen();
  };
}

function isUpdate(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  // The listing of processes has ended since.
  return existsSync(file) && readFileSync(file, 'utf8').includes('update-ref');
}

function locks(): string[] {
  return readdirSync(repo.gitDir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lock'));
}

const mergeBegins = (): void => writeFileSync(join(repo.gitDir, 'MERGE_HEAD'), `${to}\n`);

describe.runIf(process.platform === 'linux')('the locks of an update that was killed', () => {
  it.each(['prepared', 'noted', 'checked'])('go, and the branch moves then or the next time: %s', async (stage) => {
    const asked = { branch: BRANCH, from, to, stateDir: makeFolder(), limits: { paths: 100, bytes: 1e6 } };
    await moveBranch({ ...deps, onStage: killAt(stage) }, await open(repo), asked);
    expect(locks()).toEqual([]);
    await moveBranch(deps, await open(repo), asked);
    expect(git(repo.dir, 'rev-parse', 'main').trim()).toBe(to);
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
  });

  it.each(['prepared', 'noted'])('go where the move is then refused: %s', async (stage) => {
    const asked = { branch: BRANCH, from, to, stateDir: makeFolder(), limits: { paths: 100, bytes: 1e6 } };
    expect(await moveBranch({ ...deps, onStage: killAt(stage, mergeBegins) }, await open(repo), asked)).toEqual({ waits: 'a merge is under way' });
    expect(locks()).toEqual([]);
  });

  it.each(['prepared', 'noted'] as const)('go where a commit by itself is then refused: %s', async (stage) => {
    writeFiles(repo.dir, { c: 'c\n' });
    const asked = { stateDir: makeFolder(), message: 'm', maxBytes: 1e6, delayMs: 0, now: Date.now(), mayGo: () => true };
    expect(await autoCommit({ ...deps, onStage: killAt(stage, mergeBegins) }, await open(repo), asked)).toMatchObject({ waits: { words: 'a merge is under way' } });
    expect(locks()).toEqual([]);
  });

  it("stay where they are somebody else's", async () => {
    const asked = { branch: BRANCH, from, to, stateDir: makeFolder(), limits: { paths: 100, bytes: 1e6 } };
    writeFileSync(join(repo.gitDir, 'refs/heads/main.lock'), '');
    expect(await moveBranch(deps, await open(repo), asked)).toHaveProperty('waits');
    expect(locks()).toEqual(['refs/heads/main.lock']);
  });
});
