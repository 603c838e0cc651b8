// What is noticed in a git directory.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchRefs } from '../../../src/git/watch.ts';
import type { RefWatch } from '../../../src/git/watch.ts';
import { open } from '../../helpers/git-pipe.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

let repo: TestRepo;
let watched: RefWatch | undefined;
let hints = 0;
let wake: (() => void) | undefined;

async function start(): Promise<void> {
  watched = watchRefs(
    await open(repo),
    () => {
      hints += 1;
      wake?.();
    },
    {
      onProblem: (words) => {
        throw new Error(words);
      },
    },
  );
}

/** Waits until a hint has come for what `act` does. */
async function expectHint(act: () => void): Promise<void> {
  await quiet();
  const hint = new Promise<void>((resolve) => {
    wake = resolve;
  });
  act();
  await hint;
}

/** Lets the events of what was done before come in: a write in a folder that is watched too is the last of them. */
async function quiet(): Promise<void> {
  const before = hints;
  const seen = new Promise<void>((resolve) => {
    wake = () => {
      if (hints > before) resolve();
    };
  });
  git(repo.dir, 'update-ref', 'refs/heads/quiet', git(repo.dir, 'commit-tree', '-m', String(before), 'HEAD^{tree}'));
  await seen;
  for (let last = -1; last !== hints;) {
    last = hints;
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  }
  wake = undefined;
}

beforeEach(() => {
  repo = makeRepo();
  commit(repo, { a: 'a' }, 'a');
  hints = 0;
});

afterEach(() => watched?.stop());

describe('watchRefs', () => {
  it('sees a branch that moves', async () => {
    await start();
    await expectHint(() =>
      git(repo.dir, 'update-ref', 'refs/heads/main', git(repo.dir, 'commit-tree', '-m', 'x', 'HEAD^{tree}')),
    );
  });

  it('sees a branch in folders that are new, and again in those folders', async () => {
    await start();
    await expectHint(() => git(repo.dir, 'update-ref', 'refs/heads/a/b/c/d', 'HEAD'));
    await expectHint(() => git(repo.dir, 'update-ref', 'refs/heads/a/b/c/e', 'HEAD'));
    await expectHint(() => git(repo.dir, 'update-ref', 'refs/new/x', 'HEAD'));
  });

  it('sees refs packed, and what comes to be in folders made anew', async () => {
    git(repo.dir, 'update-ref', 'refs/heads/a/b/c/d', 'HEAD');
    await start();
    await expectHint(() => git(repo.dir, 'pack-refs', '--all'));
    for (const name of ['e', 'f', 'g']) await expectHint(() => git(repo.dir, 'update-ref', `refs/heads/a/b/c/${name}`, 'HEAD'));
  });

  it('sees a packed branch deleted', async () => {
    git(repo.dir, 'branch', 'x');
    git(repo.dir, 'pack-refs', '--all');
    await start();
    await expectHint(() => git(repo.dir, 'branch', '-D', 'x'));
  });

  it('sees HEAD switched', async () => {
    git(repo.dir, 'branch', 'x');
    await start();
    await expectHint(() => git(repo.dir, 'symbolic-ref', 'HEAD', 'refs/heads/x'));
  });

  it('sees a merge that is over, and the index written', async () => {
    writeFileSync(join(repo.gitDir, 'MERGE_HEAD'), '');
    await start();
    await expectHint(() => git(repo.dir, 'merge', '--quit'));
    writeFileSync(join(repo.dir, 'b'), 'b');
    await expectHint(() => git(repo.dir, 'add', 'b'));
  });

  it("sees refs of a linked work tree's repository", async () => {
    const linked = join(makeFolder(), 'linked');
    git(repo.dir, 'worktree', 'add', '-q', '-b', 'side', linked);
    const { dir } = repo;
    repo = { dir: linked, gitDir: repo.gitDir };
    await start();
    await expectHint(() => git(dir, 'update-ref', 'refs/heads/x', 'HEAD'));
    await expectHint(() => git(linked, 'symbolic-ref', 'HEAD', 'refs/heads/x'));
  });

  it('says nothing of locks, objects and private files', async () => {
    await start();
    await quiet();
    const before = hints;
    for (const name of ['index.lock', 'HEAD.lock', 'refs/heads/x.lock', 'objects/x', 'xmpp-index', 'FETCH_HEAD'])
      writeFileSync(join(repo.gitDir, name), '');
    await quiet();
    const fromQuiet = hints - before;
    const again = hints;
    await quiet();
    expect(fromQuiet).toBe(hints - again);
  });

  it('says nothing after it is stopped', async () => {
    await start();
    watched?.stop();
    git(repo.dir, 'update-ref', 'refs/heads/y', 'HEAD');
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(hints).toBe(0);
  });
});
