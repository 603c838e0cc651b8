// The one process that waits between looks, on a real repository with real git, and what becomes of a look when that process is not well.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAncestor } from '../../../src/git/history.ts';
import { ObjectReader } from '../../../src/git/object-reader.ts';
import { wasLeft } from '../../../src/git/reflog.ts';
import type { Repository } from '../../../src/git/repository.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import type { GitProcess, StartGit } from '../../../src/git/run.ts';
import { diffTrees } from '../../../src/git/tree-diff.ts';
import { inRepository } from '../../../src/git/environment.ts';
import type { RunGit } from '../../../src/lib/git-run.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const absent = parseOid('d'.repeat(40));
const main = parseRefName('refs/heads/main');

let repo: TestRepo;
let repository: Repository;
let one: Oid;
let two: Oid;
let three: Oid;
let started: GitProcess[];
let ran: string[];
let clock: VirtualClock;
let objects: ObjectReader;

const startReal = createStartGit(cleanEnv());
const startGit: StartGit = (args, options) => {
  const process = startReal(args, options);
  started.push(process);
  return process;
};
const runReal = createRunGit(cleanEnv());
const runGit: RunGit = (args, options) => {
  ran.push(args[0] ?? '');
  return runReal(args, options);
};

beforeEach(async () => {
  [started, ran, clock] = [[], [], new VirtualClock()];
  repo = makeRepo();
  one = commit(repo, { a: '1' }, 'one');
  two = commit(repo, { a: '22' }, 'two');
  three = commit(repo, { a: '333', b: '4444' }, 'three');
  repository = await open(repo);
  objects = new ObjectReader(startGit, repository, clock);
});

afterEach(() => objects.close());

const isParent = (older: Oid, newer: Oid): Promise<boolean> => objects.areParents([{ older, newer }]);
const blob = (path: string): Oid => tipOf(repo, `HEAD:${path}`);

describe('ObjectReader', () => {
  it('knows a parent from what is none, also of a merge', async () => {
    git(repo.dir, 'checkout', '-q', '-b', 'side', one);
    const side = commit(repo, { c: 'c' }, 'side');
    git(repo.dir, 'merge', '-q', '-m', 'merge', three);
    const merge = tipOf(repo, 'HEAD');
    expect(await isParent(one, two)).toBe(true);
    expect(await isParent(three, merge)).toBe(true);
    expect(await isParent(side, merge)).toBe(true);
    expect(await isParent(one, three)).toBe(false);
    expect(await isParent(two, one)).toBe(false);
    expect(await objects.areParents([{ older: one, newer: two }, { older: one, newer: three }])).toBe(false);
    expect(started).toHaveLength(1);
  });

  it('adds up sizes, twice for what is named twice', async () => {
    expect(await objects.bytesOf([blob('a'), blob('b'), blob('a')])).toBe(10);
    expect(await objects.bytesOf([])).toBe(0);
  });

  it('leaves open what is not here, and what is no commit', async () => {
    expect(await isParent(one, absent)).toBe(false);
    expect(await isParent(one, blob('a'))).toBe(false);
    expect(await objects.bytesOf([blob('a'), absent])).toBeUndefined();
    expect(await objects.bytesOf([blob('a')])).toBe(3);
    expect(started).toHaveLength(1);
  });

  it('answers many who ask at once, each its own', async () => {
    const asked = [isParent(one, two), objects.bytesOf([blob('b')]), isParent(one, three), objects.bytesOf([blob('a')])];
    expect(await Promise.all(asked)).toEqual([true, 4, false, 3]);
  });

  it('sees objects that came after it started, loose and in a new pack', async () => {
    await isParent(one, two);
    const four = commit(repo, { a: '4' }, 'four');
    expect(await isParent(three, four)).toBe(true);
    const five = commit(repo, { a: '5' }, 'five');
    git(repo.dir, 'repack', '-q', '-a', '-d');
    expect(await isParent(four, five)).toBe(true);
    expect(await objects.bytesOf([blob('b')])).toBe(4);
    expect(started).toHaveLength(1);
  });

  it('reads the commits themselves, whatever refs/replace puts in their place', async () => {
    git(repo.dir, 'replace', three, one);
    expect(await isParent(two, three)).toBe(true);
  });

  it('starts anew when its process was ended', async () => {
    await isParent(one, two);
    started[0]?.kill();
    await started[0]?.exit;
    expect(await isParent(two, three)).toBe(true);
    expect(started).toHaveLength(2);
  });

  it('asks no more than it may, and leaves a giant commit to others', async () => {
    expect(await objects.bytesOf(Array.from({ length: 257 }, () => blob('a')))).toBeUndefined();
    expect(started).toHaveLength(0);
    git(repo.dir, 'commit', '-q', '--allow-empty', '-m', 'x'.repeat(70_000));
    expect(await isParent(three, tipOf(repo, 'HEAD'))).toBe(false);
  });

  it('ends its process after a minute without use, and when it is closed', async () => {
    await isParent(one, two);
    clock.advance(59_000);
    await isParent(two, three);
    clock.advance(59_000);
    expect(await objects.bytesOf([blob('a')])).toBe(3);
    expect(started).toHaveLength(1);
    clock.advance(60_000);
    expect(await started[0]?.exit).toBe(0);
    expect(await objects.bytesOf([blob('a')])).toBe(3);
    objects.close();
    expect(await started[1]?.exit).toBe(0);
    expect(await objects.bytesOf([blob('a')])).toBeUndefined();
    expect(started).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });
});

/** What a program in git's place does with a question, by shell. */
function startProgram(lines: string): StartGit {
  const bin = makeFolder();
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(bin, 'git'), 0o755);
  const start = createStartGit({ ...cleanEnv(), PATH: `${bin}:${process.env['PATH'] ?? ''}` });
  return (args, options) => {
    const program = start(args, options);
    started.push(program);
    return program;
  };
}

describe('an ObjectReader whose process is not well', () => {
  const SICK: readonly (readonly [string, string])[] = [
    ['ends before it answers', 'read line; exit 3'],
    ['ends in the middle of an answer', 'read line; printf "%s com" "${line#* }"; exit 0'],
    ['answers what was not asked for', 'while read line; do echo "dddddddddddddddddddddddddddddddddddddddd blob 3"; done'],
    ['answers without an end of the line', 'read line; head -c 5000 /dev/zero; cat >/dev/null'],
    ['answers more than was asked for', 'while read line; do printf "%s blob 3\\nmore\\n" "${line#* }"; done'],
    ['is not there', 'exit 127'],
  ];
  for (const [words, program] of SICK) {
    it(`leaves it open where it ${words}, and lets it be for a while`, async () => {
      objects = new ObjectReader(startProgram(program), repository, clock);
      expect(await objects.bytesOf([blob('a')])).toBeUndefined();
      expect(await objects.bytesOf([blob('a')])).toBeUndefined();
      expect(started).toHaveLength(1);
      await started[0]?.exit;
      clock.advance(10_000);
      expect(await objects.bytesOf([blob('a')])).toBeUndefined();
      expect(started).toHaveLength(2);
    });
  }

  it('waits two seconds for an answer, no longer', async () => {
    objects = new ObjectReader(startProgram('exec cat >/dev/null'), repository, clock);
    const answer = objects.bytesOf([blob('a')]);
    await clock.pass(1999);
    expect(clock.untilNext).toBe(1);
    await clock.pass(1);
    expect(await answer).toBeUndefined();
    expect(await started[0]?.exit).not.toBe(0);
  });
});

describe('what is asked through an ObjectReader', () => {
  const sick = (): ObjectReader => new ObjectReader(startProgram('exit 1'), repository, clock);
  const moves = async (by: ObjectReader, at: Oid): Promise<boolean> => wasLeft(runGit, repository, { branch: main, tip: two, at, objects: by });

  it('starts no process for a parent, and asks merge-base for the rest', async () => {
    expect(await isAncestor(runGit, repository, { older: one, newer: two, objects })).toBe(true);
    expect(ran).toEqual([]);
    expect(await isAncestor(runGit, repository, { older: one, newer: three, objects })).toBe(true);
    expect(await isAncestor(runGit, repository, { older: three, newer: one, objects })).toBe(false);
    expect(await isAncestor(runGit, repository, { older: one, newer: two, objects: sick() })).toBe(true);
    expect(ran).toEqual(['merge-base', 'merge-base', 'merge-base']);
  });

  it('needs no process where a branch was moved one commit at a time', async () => {
    expect(await moves(objects, three)).toBe(false);
    expect(ran).toEqual([]);
    expect(await moves(sick(), three)).toBe(false);
    expect(ran).toEqual(['rev-list']);
  });

  it('sees what was left, by a reset to the parent too, and where the branch is elsewhere by now', async () => {
    git(repo.dir, 'reset', '-q', '--hard', one);
    expect(await moves(objects, one)).toBe(true);
    git(repo.dir, 'reset', '-q', '--hard', two);
    git(repo.dir, 'reset', '-q', '--hard', one);
    expect(await moves(objects, two)).toBe(true);
    const other = commit(repo, { c: 'c' }, 'other');
    expect(await moves(objects, other)).toBe(true);
  });

  it('keeps the limit on bytes, with it and without', async () => {
    const over = { over: 'it brings 7 bytes, more than 6' };
    const asked = { from: two, to: three, limits: { paths: 10, bytes: 6 } };
    expect(await diffTrees(startGit, inRepository(repository), { ...asked, objects })).toEqual(over);
    expect(started).toHaveLength(2);
    expect(await diffTrees(startGit, inRepository(repository), { ...asked, objects: sick() })).toEqual(over);
    expect(await diffTrees(startGit, inRepository(repository), asked)).toEqual(over);
  });
});
