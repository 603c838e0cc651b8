// What a branch lost and got back, and what that costs.

import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { findMove } from '../../../src/git/left-move.ts';
import { ObjectReader } from '../../../src/git/object-reader.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import type { TipDeps } from '../../../src/git/tips.ts';
import { parseOid } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo } from '../../helpers/repo.ts';

const repo = makeRepo();
const one = commit(repo, { a: '1' }, 'one');
const two = commit(repo, { a: '2' }, 'two');
const three = commit(repo, { a: '3' }, 'three');
git(repo.dir, 'checkout', '-q', '--detach', one);
const side = commit(repo, { b: 'b' }, 'side');
const absent = parseOid('d'.repeat(40));
const NONE: ReadonlySet<typeof one> = new Set();

let deps: TipDeps;
let ran: number;

beforeEach(async () => {
  const runGit = createRunGit(cleanEnv());
  const repository = await open(repo);
  ran = 0;
  deps = { repository, objects: new ObjectReader(createStartGit(cleanEnv()), repository), runGit: (args, options) => ((ran += 1), runGit(args, options)) };
});

/** A commit without a change of its own. */
function commitAt(date: string, ...parents: readonly Oid[]): Oid {
  const tree = git(repo.dir, 'rev-parse', `${one}^{tree}`);
  const env = { ...cleanEnv(), GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'ann@example.org', GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'ann@example.org', GIT_COMMITTER_DATE: date };
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', date];
  return parseOid(execFileSync('git', args, { cwd: repo.dir, env, encoding: 'utf8' }).trim());
}

describe('findMove', () => {
  it('starts no process for one commit forward, whatever was left before', async () => {
    expect(await findMove(deps, { from: one, to: two }, NONE)).toEqual({ left: [], back: [] });
    expect(await findMove(deps, { from: one, to: two }, new Set([two]))).toEqual({ left: [], back: [two] });
    expect(await findMove(deps, { from: one, to: two }, new Set([side]))).toEqual({ left: [], back: [] });
    expect(await findMove(deps, { from: undefined, to: two }, NONE)).toEqual({ left: [], back: [] });
    expect(ran).toBe(0);
  });

  it('loses all that the new place does not hold, newest first', async () => {
    expect(await findMove(deps, { from: three, to: side }, NONE)).toEqual({ left: [three, two], back: [] });
  });

  it('asks git a few times at most, however many lines of history were lost', async () => {
    const lines = Array.from({ length: 40 }, (_none, index) => commitAt(`2026-01-01T00:00:${index + 10}Z`, one));
    const from = commitAt('2026-02-01T00:00:00Z', ...lines);
    const { left } = await findMove(deps, { from, to: side }, NONE);
    expect(new Set(left)).toEqual(new Set([from, ...lines]));
    expect(ran).toBeLessThan(25);
  });

  it('does not count as lost what the new place holds, whatever the dates say', async () => {
    const held = commitAt('2026-01-01T00:00:00Z', one);
    const from = commitAt('2026-02-01T00:00:00Z', held);
    // Ten commits of a machine whose clock says 1990.
    let to = held;
    for (let index = 0; index < 10; index += 1) to = commitAt('1990-01-01T00:00:00Z', to);
    to = commitAt('2026-02-01T00:00:00Z', to);
    expect(git(repo.dir, 'rev-list', from, `^${to}`).split('\n')).toContain(held);
    expect(await findMove(deps, { from, to }, NONE)).toEqual({ left: [from], back: [] });
  });

  it('gets back what it did not hold', async () => {
    expect(await findMove(deps, { from: one, to: three }, new Set([one, two]))).toEqual({ left: [], back: [two] });
    expect(await findMove(deps, { from: side, to: three }, new Set([two, three]))).toEqual({ left: [side], back: [three, two] });
    expect(await findMove(deps, { from: undefined, to: three }, new Set([one, side]))).toEqual({ left: [], back: [one] });
  });

  it('is told of what was left alone, not of all that a hub holds', async () => {
    const told: string[] = [];
    const listening: TipDeps = {
      ...deps,
      runGit: async (args, options) => {
        const result = await deps.runGit(args, options);
        if (args[0] === 'rev-list') told.push(...result.stdout.split('\n').filter(Boolean));
        return result;
      },
    };
    expect(await findMove(listening, { from: undefined, to: three }, new Set([two, side, absent]))).toEqual({ left: [], back: [two] });
    expect(told).toEqual([side]);
  });

  it('gets back the commit that a person put it on', async () => {
    expect(await findMove(deps, { from: three, to: two }, new Set([one, two]))).toEqual({ left: [three], back: [two] });
  });

  it('says nothing of what is not here any more', async () => {
    expect(await findMove(deps, { from: absent, to: three }, new Set([two]))).toEqual({ left: [], back: [] });
  });
});
