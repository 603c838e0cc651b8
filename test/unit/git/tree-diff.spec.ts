// What differs between two trees, on real repositories; how its limits keep a branch from moving is in move.spec.ts.

import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { inRepository } from '../../../src/git/environment.ts';
import type { GitPlace } from '../../../src/git/environment.ts';
import { createStartGit } from '../../../src/git/run.ts';
import type { GitProcess, StartGit } from '../../../src/git/run.ts';
import { diffTrees, splitNul } from '../../../src/git/tree-diff.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const LIMITS = { paths: 100, bytes: 1000 };
const EMPTY = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

let repo: TestRepo;
let place: GitPlace;
/** What was started, by its command. */
let started: { readonly command: string | undefined; readonly process: GitProcess }[];

const startGit: StartGit = (args, options) => {
  const process = createStartGit(cleanEnv())(args, options);
  started.push({ command: args[0], process });
  return process;
};

beforeEach(async () => {
  repo = makeRepo();
  commit(repo, { a: 'a\n', b: 'b\n' }, 'one');
  place = inRepository(await open(repo));
  started = [];
});

const makeTree = (text: string): string => execFileSync('git', ['-C', repo.dir, 'mktree'], { input: text, env: cleanEnv(), encoding: 'utf8' }).trim();

/** A tree of ten to the tenth files that takes a few objects. */
function makeGiant(): string {
  const blob = git(repo.dir, 'rev-parse', 'HEAD:a');
  const names = Array.from({ length: 10 }, (_none, index) => `n${index}`);
  let tree = makeTree(names.map((name) => `100644 blob ${blob}\t${name}\n`).join(''));
  for (let depth = 1; depth < 10; depth += 1) {
    const below = tree;
    tree = makeTree(names.map((name) => `040000 tree ${below}\t${name}\n`).join(''));
  }
  return tree;
}

describe('diffTrees', () => {
  it('tells what is added, changed and deleted', async () => {
    const from = git(repo.dir, 'rev-parse', 'HEAD');
    const to = commit(repo, { a: 'x\n', b: null, 'd/c': 'c\n' }, 'two');
    const diff = await diffTrees(startGit, place, { from, to, limits: LIMITS });
    const changes = 'changes' in diff ? diff.changes.map(({ kind, path }) => `${kind} ${path.toString()}`) : diff;
    expect(changes).toEqual(['changed a', 'deleted b', 'added d/c']);
  });

  it('counts the bytes of what is new alone', async () => {
    const from = git(repo.dir, 'rev-parse', 'HEAD');
    const to = commit(repo, { large: 'x'.repeat(1001) }, 'large');
    expect(await diffTrees(startGit, place, { from, to, limits: LIMITS })).toEqual({ over: 'it brings 1001 bytes, more than 1000' });
    expect(await diffTrees(startGit, place, { from: to, to: from, limits: LIMITS })).toHaveProperty('changes');
  });

  it.each([
    ['come in', (giant: string) => ({ from: EMPTY, to: giant })],
    ['go away', (giant: string) => ({ from: giant, to: EMPTY })],
  ])('does not compare a giant tree to its end, be it to %s, and leaves no git behind', async (_way, trees) => {
    const diff = await diffTrees(startGit, place, { ...trees(makeGiant()), limits: LIMITS });
    expect(diff).toEqual({ over: 'it changes more than 100 files' });
    expect(started.map(({ command }) => command)).toContain('ls-tree');
    await Promise.all(started.map(({ process }) => process.exit));
  });
});

describe('splitNul', () => {
  it('takes apart what ends with NUL, and keeps what does not', () => {
    expect(splitNul(Buffer.from('a\0\0b')).map(String)).toEqual(['a', '', 'b']);
    expect(splitNul(Buffer.alloc(0))).toEqual([]);
  });
});
