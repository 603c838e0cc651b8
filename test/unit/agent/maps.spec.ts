// Maps and the mirror on real repositories: what is remembered, and what a clone has fetched by itself.

import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MapStore } from '../../../src/agent/maps.ts';
import { writeMirror } from '../../../src/agent/mirror.ts';
import { readGitConfig } from '../../../src/git/repository.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { parseRefName, parseRepoId } from '../../../src/lib/names.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import type { DeviceKey } from '../../helpers/device-key.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());
const repo = parseRepoId('00000000-0000-4000-8000-000000000000');
const main = parseRefName('refs/heads/main');

async function storeAt(where: TestRepo, file: string): Promise<MapStore> {
  const maps = new MapStore(repo, { runGit, repository: await open(where) }, file);
  await maps.open();
  return maps;
}

function publish(maps: MapStore, where: TestRepo, { device, keyPem }: DeviceKey): Promise<number | undefined> {
  return maps.publish(device, new Map([[main, tipOf(where, 'main')]]), { keyPem, now: 1 });
}

describe('MapStore', () => {
  it('knows its maps again after a restart', async () => {
    const [where, file, key] = [makeRepo(), path.join(makeFolder(), 'maps.json'), makeDeviceKey()];
    commit(where, { 'a.txt': 'a' }, 'a');
    const counter = await publish(await storeAt(where, file), where, key);
    const again = await storeAt(where, file);
    expect(again.signed(key.device)?.counter).toBe(counter);
    expect(again.refsOf(key.device)).toEqual(new Map([[main, tipOf(where, 'main')]]));
  });

  it('forgets a map whose refs another clone of the repository held', async () => {
    const [first, file, key] = [makeRepo(), path.join(makeFolder(), 'maps.json'), makeDeviceKey()];
    commit(first, { 'a.txt': 'a' }, 'a');
    await publish(await storeAt(first, file), first, key);
    const second = makeRepo();
    git(second.dir, 'pull', '-q', first.dir, 'main');
    const maps = await storeAt(second, file);
    expect(maps.counters.size).toBe(0);
    expect(await publish(maps, second, key)).toBeDefined();
  });
});

describe('writeMirror', () => {
  it('takes nothing away that was fetched, as long as there is no map', async () => {
    const [theirs, ours, key] = [makeRepo(), makeRepo(), makeDeviceKey()];
    commit(theirs, { 'a.txt': 'a' }, 'a');
    git(ours.dir, 'remote', 'add', 'laptop', theirs.dir);
    git(ours.dir, 'fetch', '-q', 'laptop');
    const maps = await storeAt(ours, path.join(makeFolder(), 'maps.json'));
    const repository = await open(ours);
    const context = { repository, maps, runGit, startGit: createStartGit(cleanEnv()), stateDir: makeFolder(), shared: () => { throw new Error('not asked for'); } };
    const mirror = async (): Promise<void> => writeMirror(context, key.device, { config: await readGitConfig(runGit, repository), url: theirs.dir });
    await mirror();
    expect(tipOf(ours, 'refs/remotes/laptop/main')).toBe(tipOf(theirs, 'main'));

    await maps.publish(key.device, new Map([[parseRefName('refs/heads/other'), tipOf(theirs, 'main')]]), { keyPem: key.keyPem, now: 1 });
    await mirror();
    expect(git(ours.dir, 'for-each-ref', '--format=%(refname)', 'refs/remotes')).toBe('refs/remotes/laptop/other');
  });
});
