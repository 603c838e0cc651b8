// The shared repositories, in a real file.

import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Repos } from '../../../src/home/repos.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { makeSharedRepo } from '../../helpers/home-values.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

const BEN = parseBareJid('ben@example.net');
const NOTES = makeSharedRepo('Notes', {
  audience: [BEN],
  defaultGrant: 'read',
  grants: { [BEN]: 'write' },
  branches: ['main', 'feature/*'],
});
const CODE = makeSharedRepo('code', { isFolder: true });

async function openRepos(): Promise<{ readonly path: string; readonly repos: Repos }> {
  const path = join(makeFolder(), 'repos.json');
  return { path, repos: await Repos.open(path) };
}

describe('Repos', () => {
  it('finds a repository by each of its names, and again when opened again', async () => {
    const { path, repos } = await openRepos();
    await repos.add(NOTES);
    await repos.add(CODE);
    for (const each of [repos, await Repos.open(path)]) {
      expect(each.list()).toEqual([NOTES, CODE]);
      expect(each.byId(NOTES.id)).toEqual(NOTES);
      expect(each.byName('notes')).toEqual(NOTES);
      expect(each.byPath(CODE.path)).toEqual(CODE);
      expect(each.byPath(CODE.gitDir)).toEqual(CODE);
      expect(each.byPath('/home/anna')).toBeUndefined();
    }
    expect(modeOf(path)).toBe(0o600);
  });

  it('refuses an id, a name or a path that is taken', async () => {
    const { repos } = await openRepos();
    await repos.add(NOTES);
    await repos.add(CODE);
    const other = makeSharedRepo('other');
    for (const same of [{ id: NOTES.id }, { name: 'NOTES' }, { path: NOTES.path }]) {
      await expect(repos.add({ ...other, ...same })).rejects.toMatchObject({ code: 'exists' });
    }
    await expect(repos.update(CODE.id, { name: 'notes' })).rejects.toMatchObject({ code: 'exists' });
    expect(repos.list()).toEqual([NOTES, CODE]);
  });

  it('changes what a patch names, checked like a file', async () => {
    const { path, repos } = await openRepos();
    await repos.add(CODE);
    await repos.update(CODE.id, { audience: [BEN], name: 'Code' });
    expect((await Repos.open(path)).list()).toEqual([{ ...CODE, audience: [BEN], name: 'Code' }]);
    await expect(repos.update(CODE.id, { path: 'relative' })).rejects.toThrow('repo.path');
    await expect(repos.update(NOTES.id, { name: 'x' })).rejects.toMatchObject({ code: 'no-such-repo' });
  });

  it('removes one and keeps the other', async () => {
    const { path, repos } = await openRepos();
    await repos.add(NOTES);
    await repos.add(CODE);
    await repos.remove(NOTES.id);
    expect((await Repos.open(path)).list()).toEqual([CODE]);
    await expect(repos.remove(NOTES.id)).rejects.toMatchObject({ code: 'no-such-repo' });
  });

  it('refuses a truncated file by name and leaves it', async () => {
    const { path, repos } = await openRepos();
    await repos.add(NOTES);
    truncateSync(path, 50);
    await expect(Repos.open(path)).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    expect(readFileSync(path)).toHaveLength(50);
  });
});
