// Refs that stand still: what git reads there is what was handed over, whatever the repository says by then.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freezeRefs } from '../../../src/git/frozen-refs.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { openRepository } from '../../../src/git/repository.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());
const REF = parseRefName('refs/xmpp/a/heads/zoë');

async function listed(refs: ReadonlyMap<RefName, Oid>, dir: string): Promise<string> {
  const frozen = await freezeRefs(makeFolder(), await openRepository(runGit, dir), refs);
  const { stdout } = await runGit(['for-each-ref', '--format=%(objectname) %(refname) %(objecttype)'], frozen);
  await frozen.remove();
  expect(existsSync(frozen.dir)).toBe(false);
  return stdout;
}

describe('freezeRefs', () => {
  it.each(['sha1', 'sha256'])('shows git the refs that it was handed, in any order, with the objects of the repository (%s)', async (format) => {
    const repo = makeRepo({ isBare: false });
    if (format === 'sha256') {
      for (const args of [['config', 'core.repositoryformatversion', '1'], ['config', 'extensions.objectformat', 'sha256']]) git(repo.dir, ...args);
    }
    const tip = commit(repo, { a: '1' }, 'one');
    git(repo.dir, 'tag', '-a', '-m', 'v1', 'v1');
    const tag = parseOid(git(repo.dir, 'rev-parse', 'v1'));
    const refs = new Map([[REF, tip], [parseRefName('refs/xmpp/a/tags/v1'), tag], [parseRefName('refs/xmpp/a/heads/main'), tip]]);
    expect(await listed(refs, repo.dir)).toBe(`${tip} refs/xmpp/a/heads/main commit\n${tip} ${REF} commit\n${tag} refs/xmpp/a/tags/v1 tag\n`);
  });

  it('shows no ref where there is none, and nothing of the repository\'s own', async () => {
    const repo = makeRepo();
    commit(repo, { a: '1' }, 'one');
    expect(await listed(new Map(), repo.dir)).toBe('');
  });

  it('leaves nothing where it cannot be written', async () => {
    const folder = join(makeFolder(), 'file');
    writeFileSync(folder, '');
    const repo = makeRepo();
    await expect(freezeRefs(folder, await openRepository(runGit, repo.dir), new Map())).rejects.toThrow('EEXIST');
    expect(readdirSync(join(folder, '..'))).toEqual(['file']);
  });
});
