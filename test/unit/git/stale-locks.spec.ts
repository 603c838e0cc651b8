import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeStaleLocks } from '../../../src/git/stale-locks.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';

it('removes old locks below refs/xmpp, and no young one, and none of a branch', async () => {
  const repo = makeRepo();
  const tip = commit(repo, { a: 'a' }, 'a');
  git(repo.dir, 'update-ref', 'refs/xmpp/0123/heads/main', tip);
  git(repo.dir, 'update-ref', 'refs/xmpp/0123/heads/side', tip);
  const now = Date.now();
  const lock = (ref: string, age: number): string => {
    const path = join(repo.gitDir, `${ref}.lock`);
    writeFileSync(path, '');
    utimesSync(path, (now - age) / 1000, (now - age) / 1000);
    return path;
  };
  const [old, young, theirs] = [lock('refs/xmpp/0123/heads/main', 10_000), lock('refs/xmpp/0123/heads/side', 500), lock('refs/heads/main', 10_000)];
  expect(await removeStaleLocks({ commonDir: repo.gitDir }, now)).toBe(1);
  expect([old, young, theirs].map(existsSync)).toEqual([false, true, true]);
  git(repo.dir, 'update-ref', '-d', 'refs/xmpp/0123/heads/main');
});

it('finds nothing where there are no such refs', async () => {
  expect(await removeStaleLocks({ commonDir: makeRepo().gitDir }, Date.now())).toBe(0);
});
