// Refs, history and reflogs of real repositories.

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { lastMove } from '../../../src/git/reflog.ts';
import type { Repository } from '../../../src/git/repository.ts';
import {
  areReachable,
  countCommits,
  hasCommits,
  hasObjects,
  headOf,
  isAncestor,
  listRefs,
  newestOf,
  reachableOf,
  updateRefs,
  wasLeft,
} from '../../../src/git/refs.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());
const ref = parseRefName;
const absent = parseOid('0123456789'.repeat(4));
const main = ref('refs/heads/main');

let repo: TestRepo;
let repository: Repository;
let one: Oid;
let two: Oid;

beforeEach(async () => {
  repo = makeRepo();
  repository = await open(repo);
  one = commit(repo, { a: '1' }, 'one');
  two = commit(repo, { a: '2' }, 'two');
});

describe('listRefs', () => {
  it('lists what lies below the prefixes, tags not peeled', async () => {
    git(repo.dir, 'tag', '-a', '-m', 'v', 'v1');
    git(repo.dir, 'branch', 'grün/#\'🎉"');
    git(repo.dir, 'update-ref', 'refs/notes/x', 'HEAD');
    const refs = await listRefs(runGit, repository, ['refs/heads/', 'refs/tags/']);
    expect([...refs]).toEqual([
      [ref('refs/heads/grün/#\'🎉"'), two],
      [main, two],
      [ref('refs/tags/v1'), tipOf(repo, 'v1')],
    ]);
  });

  it('leaves out a name that is not UTF-8, and tells of it', async () => {
    const name = Buffer.concat([Buffer.from('refs/heads/caf'), Buffer.from([0xe9])]);
    appendFileSync(join(repo.gitDir, 'packed-refs'), Buffer.concat([Buffer.from(`${one} `), name, Buffer.from('\n')]));
    const told: string[] = [];
    const refs = await listRefs(runGit, repository, ['refs/heads/'], { onUnreadable: (each) => told.push(each) });
    expect([...refs.keys()]).toEqual([main]);
    expect(told).toEqual(['refs/heads/caf\ufffd']);
  });

  it('speaks of the repository that was meant or of none, though another lies around it', async () => {
    const inner = makeRepo({ dir: join(repo.dir, 'inner') });
    commit(inner, { b: 'b' }, 'inner');
    const opened = await open(inner);
    rmSync(inner.gitDir, { recursive: true });
    await expect(listRefs(runGit, opened, ['refs/'])).rejects.toMatchObject({ code: 'git' });
    await expect(updateRefs(runGit, opened, [{ ref: main, from: two, to: one }], { message: 'spec' })).rejects.toMatchObject({ code: 'git' });
    expect(tipOf(repo, 'main')).toBe(two);
  });

  it('lists nothing in an empty repository', async () => {
    expect(await listRefs(runGit, await open(makeRepo()), ['refs/'])).toEqual(new Map());
  });
});

describe('headOf', () => {
  it('tells a branch, an unborn branch and a detached commit apart', async () => {
    expect(await headOf(runGit, repository)).toEqual({ branch: main });
    expect(await headOf(runGit, await open(makeRepo()))).toEqual({ unborn: main });
    git(repo.dir, 'checkout', '-q', '--detach', one);
    expect(await headOf(runGit, repository)).toEqual({ detached: one });
  });
});

describe('updateRefs', () => {
  const message = 'xmpp: spec';

  it('makes, moves and deletes in one go', async () => {
    git(repo.dir, 'branch', 'old', one);
    git(repo.dir, 'branch', 'moves', one);
    const done = await updateRefs(
      runGit,
      repository,
      [
        { ref: ref('refs/heads/new'), from: undefined, to: two },
        { ref: ref('refs/heads/moves'), from: one, to: two },
        { ref: ref('refs/heads/old'), from: one, to: undefined },
      ],
      { message },
    );
    expect(done).toBe('done');
    expect([...(await listRefs(runGit, repository, ['refs/heads/'])).keys()]).toEqual([
      'refs/heads/main',
      'refs/heads/moves',
      'refs/heads/new',
    ]);
  });

  it.each([
    ['it has moved', () => ({ from: two, to: one })],
    ['it is there already', () => ({ from: undefined, to: two })],
    ['it is another one than was to be deleted', () => ({ from: two, to: undefined })],
  ])('loses the race when %s, and changes none', async (_what, makeUpdate) => {
    git(repo.dir, 'branch', 'x', one);
    const updates = [
      { ref: ref('refs/heads/y'), from: undefined, to: one },
      { ref: ref('refs/heads/x'), ...makeUpdate() },
    ];
    expect(await updateRefs(runGit, repository, updates, { message })).toBe('lost-race');
    expect(tipOf(repo, 'x')).toBe(one);
    expect([...(await listRefs(runGit, repository, ['refs/heads/y'])).keys()]).toEqual([]);
  });

  it('loses the race when it is gone or locked', async () => {
    expect(await updateRefs(runGit, repository, [{ ref: ref('refs/heads/gone'), from: one, to: two }], { message })).toBe(
      'lost-race',
    );
    writeFileSync(join(repo.gitDir, 'refs/heads/main.lock'), '');
    expect(await updateRefs(runGit, repository, [{ ref: main, from: two, to: one }], { message })).toBe('lost-race');
  });

  it.each([
    ['below', 'refs/heads/a', 'refs/heads/a/b'],
    ['above', 'refs/heads/a/b', 'refs/heads/a'],
  ])('lets a name give way to one %s it', async (_where, before, after) => {
    git(repo.dir, 'update-ref', before, one);
    const updates = [
      { ref: ref(after), from: undefined, to: two },
      { ref: ref(before), from: one, to: undefined },
    ];
    expect(await updateRefs(runGit, repository, updates, { message })).toBe('done');
    expect([...(await listRefs(runGit, repository, ['refs/heads/a']))]).toEqual([[after, two]]);
  });

  it('throws for a name that cannot exist beside another', async () => {
    await expect(
      updateRefs(runGit, repository, [{ ref: ref('refs/heads/main/x'), from: undefined, to: one }], { message }),
    ).rejects.toMatchObject({ code: 'git' });
  });

  it('runs no hook', async () => {
    const mark = join(makeFolder(), 'ran');
    writeFiles(repo.dir, { '.git/hooks/reference-transaction': { executable: `#!/bin/sh\necho ran > '${mark}'\n` } });
    expect(await updateRefs(runGit, repository, [{ ref: main, from: two, to: one }], { message })).toBe('done');
    expect(existsSync(mark)).toBe(false);
  });

  it('does not write through a symbolic ref', async () => {
    git(repo.dir, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
    expect(await updateRefs(runGit, repository, [{ ref: ref('refs/heads/alias'), from: two, to: one }], { message })).toBe(
      'done',
    );
    expect(tipOf(repo, 'main')).toBe(two);
  });
});

describe('isAncestor', () => {
  it('holds for a commit and what it contains', async () => {
    expect(await isAncestor(runGit, repository, { older: one, newer: two })).toBe(true);
    expect(await isAncestor(runGit, repository, { older: two, newer: two })).toBe(true);
    expect(await isAncestor(runGit, repository, { older: two, newer: one })).toBe(false);
    await expect(isAncestor(runGit, repository, { older: absent, newer: one })).rejects.toMatchObject({ code: 'git' });
  });
});

describe('hasObjects', () => {
  it('finds what is here, of any kind; hasCommits only commits', async () => {
    const tree = tipOf(repo, 'HEAD^{tree}');
    expect(await hasObjects(runGit, repository, [one, tree, absent])).toEqual(new Set([one, tree]));
    expect(await hasCommits(runGit, repository, [one, tree, absent])).toEqual(new Set([one]));
    expect(await hasObjects(runGit, repository, [])).toEqual(new Set());
  });
});

describe('areReachable', () => {
  it('holds for what branches lead to, and not for what only another ref leads to', async () => {
    git(repo.dir, 'checkout', '-q', '--detach');
    const hidden = commit(repo, { a: '3' }, 'hidden');
    git(repo.dir, 'update-ref', 'refs/xmpp/x/heads/main', hidden);
    const from = ['refs/heads/*', 'refs/tags/*'];
    expect(await areReachable(runGit, repository, [one], { from })).toBe(true);
    expect(await areReachable(runGit, repository, [one, two], { from })).toBe(true);
    expect(await areReachable(runGit, repository, [one, hidden, two], { from })).toBe(false);
    expect(await areReachable(runGit, repository, [absent], { from })).toBe(false);
    expect(await areReachable(runGit, repository, [one], { from: [] })).toBe(false);
    expect(await areReachable(runGit, repository, [one], { from: ['refs/none/*'] })).toBe(false);
  });

  it('holds for a tag object that a ref names', async () => {
    git(repo.dir, 'tag', '-a', '-m', 'v', 'v1');
    const tag = tipOf(repo, 'v1');
    expect(await areReachable(runGit, repository, [tag], { from: ['refs/tags/*'] })).toBe(true);
    expect(await areReachable(runGit, repository, [tag], { from: ['refs/heads/*'] })).toBe(false);
  });
});

describe('reachableOf', () => {
  it('tells which of several commits branches lead to, however far they went on since', async () => {
    git(repo.dir, 'checkout', '-q', '--detach');
    const hidden = commit(repo, { a: '3' }, 'hidden');
    git(repo.dir, 'tag', '-a', '-m', 'v', 'v1');
    const tag = tipOf(repo, 'v1');
    const of = (oids: readonly Oid[], from = ['refs/heads/*']): Promise<Set<Oid>> => reachableOf(runGit, repository, oids, { from });
    expect(await of([one, hidden, two, absent, tag])).toEqual(new Set([one, two]));
    expect(await of([one, hidden, tag], ['refs/tags/*', 'refs/none/*'])).toEqual(new Set([one, hidden, tag]));
    expect(await of([two])).toEqual(new Set([two]));
    expect(await of([hidden, absent])).toEqual(new Set());
    expect(await of([])).toEqual(new Set());
    expect(await of([one], ['refs/none/*'])).toEqual(new Set());
  });
});

describe('reachableOf, of what is here in part', () => {
  it('goes by tips alone where one of them leads to a commit that is missing', async () => {
    git(repo.dir, 'checkout', '-q', '--detach');
    const missing = commit(repo, { a: '3' }, 'missing');
    const broken = commit(repo, { a: '4' }, 'broken');
    rmSync(join(repo.gitDir, 'objects', missing.slice(0, 2), missing.slice(2)));
    git(repo.dir, 'checkout', '-q', '-f', 'main');
    expect(await reachableOf(runGit, repository, [two, broken], { from: ['refs/heads/*'] })).toEqual(new Set([two]));
  });
});

describe('newestOf', () => {
  it('gives the newest first, and no more than asked for', async () => {
    const [early, late] = [commit(repo, { a: '3' }, 'early'), commit(repo, { a: '4' }, 'late')];
    expect(await newestOf(runGit, repository, [early, late], 2)).toEqual([late, early]);
    expect(await newestOf(runGit, repository, [one, late, two], 1)).toEqual([late]);
    expect(await newestOf(runGit, repository, [one], 1)).toEqual([one]);
    expect(await newestOf(runGit, repository, [], 1)).toEqual([]);
  });
});

describe('countCommits', () => {
  it('counts what one has beyond the other', async () => {
    expect(await countCommits(runGit, repository, { to: two })).toBe(2);
    expect(await countCommits(runGit, repository, { from: one, to: two })).toBe(1);
    expect(await countCommits(runGit, repository, { from: two, to: one })).toBe(0);
  });
});

describe('wasLeft', () => {
  const left = (tip: Oid, branch = main) => wasLeft(runGit, repository, { branch, tip });

  it('sees a reset, for the tip and for what else was dropped', async () => {
    const three = commit(repo, { a: '3' }, 'three');
    git(repo.dir, 'reset', '-q', '--hard', one);
    expect(await left(three)).toBe(true);
    expect(await left(two)).toBe(true);
    expect(await left(one)).toBe(false);
  });

  it('sees an amend', async () => {
    git(repo.dir, 'commit', '-q', '--amend', '-m', 'amended');
    expect(await left(two)).toBe(true);
  });

  it('sees a rebase', async () => {
    git(repo.dir, 'checkout', '-q', '-b', 'onto', one);
    commit(repo, { b: 'b' }, 'b');
    git(repo.dir, 'checkout', '-q', 'main');
    git(repo.dir, 'rebase', '-q', 'onto');
    expect(await left(two)).toBe(true);
  });

  it('does not take going forward, or a new branch, for leaving', async () => {
    git(repo.dir, 'branch', 'side', one);
    git(repo.dir, 'branch', '-f', 'side', two);
    expect(await left(one, ref('refs/heads/side'))).toBe(false);
    expect(await left(two, ref('refs/heads/side'))).toBe(false);
    expect(await left(two)).toBe(false);
  });

  it("does not take the agent's own rewrite for a person's", async () => {
    git(repo.dir, 'checkout', '-q', '--detach', one);
    const other = commit(repo, { b: 'b' }, 'other');
    await updateRefs(runGit, repository, [{ ref: main, from: two, to: other }], { message: 'xmpp: follow laptop' });
    expect(await left(two)).toBe(false);
  });

  it('is false for a tip that is not here, and without a reflog', async () => {
    expect(await left(absent)).toBe(false);
    expect(await left(one, ref('refs/heads/none'))).toBe(false);
  });

  it('sees a reset that stands behind an entry which a full disk has cut, and where the branch went by it', async () => {
    git(repo.dir, 'reset', '-q', '--hard', one);
    const log = join(repo.dir, '.git/logs/refs/heads/main');
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const last = lines.pop() ?? '';
    writeFileSync(log, [...lines, `${two} ${absent} Ann Exam${last}`, ''].join('\n'));
    expect(await left(two)).toBe(true);
    expect(await lastMove(repository, main)).toBe(one);
  });

  it('reads a reflog with a name outside ASCII', async () => {
    git(repo.dir, 'checkout', '-q', '-b', "grün/#'🎉");
    git(repo.dir, 'reset', '-q', '--hard', one);
    expect(await left(two, ref("refs/heads/grün/#'🎉"))).toBe(true);
  });
});
