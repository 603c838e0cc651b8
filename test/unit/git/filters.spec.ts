// Files that a filter would write. Rule: the attributes of the new commit decide, and whoever has no filter is not held up.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { moveBranch } from '../../../src/git/move.ts';
import type { Moved } from '../../../src/git/move.ts';
import { openRepository } from '../../../src/git/repository.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestFile, TestRepo } from '../../helpers/repo.ts';

const LFS = '*.bin filter=lfs diff=lfs merge=lfs -text\n';
const runGit = createRunGit(cleanEnv());

let repo: TestRepo;

beforeEach(() => {
  repo = makeRepo();
});

/** Moves main from a commit of `before` to one with `after` on top. */
async function move(before: Record<string, TestFile>, after: Record<string, TestFile>): Promise<{ moved: Moved; to: Oid }> {
  const from = commit(repo, { 'a.txt': 'a\n', ...before }, 'before');
  const to = commit(repo, after, 'after');
  git(repo.dir, '-c', 'filter.lfs.required=false', 'reset', '-q', '--hard', from);
  const repository = await openRepository(runGit, repo.dir);
  const request = { branch: parseRefName('refs/heads/main'), from, to, stateDir: makeFolder(), limits: { paths: 1000, bytes: 1 << 20 } };
  return { moved: await moveBranch({ runGit, startGit: createStartGit(cleanEnv()) }, repository, request), to };
}

function setFilter(name: string, smudge: string): void {
  git(repo.dir, 'config', `filter.${name}.smudge`, smudge);
}

describe('a branch whose files pass through a filter', () => {
  it.each<[string, Record<string, TestFile>, Record<string, TestFile>]>([
    ['that is set already', { '.gitattributes': LFS }, { 'deep/b.bin': 'pointer\n' }],
    ['in a folder of its own', { 'deep/.gitattributes': LFS }, { 'deep/b.bin': 'pointer\n' }],
    ['that comes with it', {}, { '.gitattributes': LFS, 'deep/b.bin': 'pointer\n' }],
  ])('%s waits, with the command, and no filter is run', async (_what, before, after) => {
    setFilter('lfs', `touch '${join(repo.dir, 'was-run')}'; cat`);
    const { moved, to } = await move(before, after);
    expect(moved).toEqual({ waits: `deep/b.bin passes through filter=lfs, which may fail half-way: run git merge --ff-only ${to}` });
    expect(existsSync(join(repo.dir, 'was-run'))).toBe(false);
    expect(git(repo.dir, 'status', '--porcelain')).toBe('');
    expect(readdirSync(repo.gitDir).filter((name) => name.startsWith('xmpp-') || name.endsWith('.lock'))).toEqual([]);
  });

  it('that only the configuration of this machine names waits too', async () => {
    setFilter('secret', 'false');
    writeFileSync(join(repo.gitDir, 'info/attributes'), '*.txt filter=secret\n');
    expect((await move({}, { 'b.txt': 'b\n' })).moved).toMatchObject({ waits: expect.stringContaining('b.txt passes through filter=secret') });
  });

  it.each<[string, () => void, Record<string, TestFile>]>([
    ['no filter is set here', () => undefined, { 'b.bin': 'pointer\n' }],
    ['it only takes files in', () => git(repo.dir, 'config', 'filter.lfs.clean', 'false'), { 'b.bin': 'pointer\n' }],
    ['it changes nothing', () => setFilter('lfs', 'cat'), { 'b.bin': 'pointer\n' }],
    ['other files come', () => setFilter('lfs', 'false'), { 'b.txt': 'b\n' }],
    ['such a file goes', () => setFilter('lfs', 'false'), { 'old.bin': null, 'b.txt': 'b\n' }],
  ])('moves where %s', async (_why, set, after) => {
    // Set only now: what is made before would pass through it.
    const before = { '.gitattributes': LFS, 'old.bin': 'old\n' };
    commit(repo, before, 'first');
    set();
    const { moved, to } = await move({}, after);
    expect(moved).toEqual({ moved: true });
    expect(tipOf(repo, 'main')).toBe(to);
    for (const [name, text] of Object.entries(after)) if (typeof text === 'string') expect(readFileSync(join(repo.dir, name), 'utf8')).toBe(text);
  });
});
