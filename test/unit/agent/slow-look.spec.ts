// When git is asked though nothing was said. Rule: at every change of a ref's file, at none of what agents write, and now and then anyway.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SlowLook } from '../../../src/agent/slow-look.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';

describe('the slow look', () => {
  it('asks git at first, then only where a branch, tag, setting or the packed refs are others', async () => {
    const repo = makeRepo();
    commit(repo, { 'a.txt': 'a' }, 'a');
    const look = new SlowLook({ gitDir: repo.gitDir, commonDir: repo.gitDir });
    expect([await look.isDue(), await look.isDue()]).toEqual([true, false]);
    const changes: (() => unknown)[] = [
      () => commit(repo, { 'a.txt': 'b' }, 'b'),
      () => git(repo.dir, 'update-ref', 'refs/heads/deep/er', 'HEAD'),
      () => git(repo.dir, 'update-ref', '-d', 'refs/heads/deep/er'),
      () => git(repo.dir, 'tag', 'v1'),
      () => git(repo.dir, 'pack-refs', '--all'),
      () => git(repo.dir, 'config', 'xmpp.merge', 'none'),
    ];
    for (const change of changes) {
      change();
      expect([await look.isDue(), await look.isDue()], String(change)).toEqual([true, false]);
    }
  });

  it('is content where only agents wrote', async () => {
    const repo = makeRepo();
    commit(repo, { 'a.txt': 'a' }, 'a');
    const look = new SlowLook({ gitDir: repo.gitDir, commonDir: repo.gitDir });
    await look.isDue();
    git(repo.dir, 'update-ref', 'refs/xmpp/00000000000000000000000000000000/heads/main', 'HEAD');
    git(repo.dir, 'update-ref', 'refs/remotes/laptop/main', 'HEAD');
    expect(await look.isDue()).toBe(false);
  });

  it('asks git now and then anyway, and always where there is nothing to compare', async () => {
    const repo = makeRepo();
    const look = new SlowLook({ gitDir: repo.gitDir, commonDir: repo.gitDir });
    const due: boolean[] = [];
    for (let count = 0; count < 7; count += 1) due.push(await look.isDue());
    expect(due).toEqual([true, false, false, false, false, true, false]);
    rmSync(join(repo.gitDir, 'refs'), { recursive: true });
    expect([await look.isDue(), await look.isDue()]).toEqual([true, true]);
  });
});
