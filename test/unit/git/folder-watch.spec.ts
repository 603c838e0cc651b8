// One watch, one folder.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entriesIn, folderIdentity, FolderWatches, whyUnwatched } from '../../../src/git/folder-watch.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

describe('FolderWatches', () => {
  it('watches a folder once, and another one under the same name anew', async () => {
    const dir = join(makeFolder(), 'd');
    mkdirSync(dir);
    const seen: string[] = [];
    const watches = new FolderWatches(() => undefined);
    const add = (): boolean => watches.add(dir, (name) => seen.push(name ?? ''));
    expect([add(), add()]).toEqual([true, false]);
    renameSync(dir, `${dir}-old`);
    mkdirSync(dir);
    expect(add()).toBe(true);
    writeFileSync(join(dir, 'x'), '');
    await until(() => seen.includes('x'));
    watches.stop();
    expect(watches.has(dir)).toBe(false);
  });

  it('lets go of a folder that is gone, and of all below one', async () => {
    const dir = makeFolder();
    mkdirSync(join(dir, 'a/b/c'), { recursive: true });
    mkdirSync(join(dir, 'ab'));
    const watches = new FolderWatches(() => undefined);
    const paths = ['a', 'a/b', 'a/b/c', 'ab'].map((name) => join(dir, name));
    for (const path of paths) watches.add(path, () => undefined);
    watches.dropTree(join(dir, 'a'));
    expect([...watches.paths]).toEqual([join(dir, 'ab')]);
    rmSync(join(dir, 'ab'), { recursive: true });
    await until(() => [...watches.paths].length === 0);
    watches.stop();
  });

  it('watches nothing that is no folder, and needs nobody to be told', () => {
    const dir = makeFolder();
    writeFileSync(join(dir, 'file'), '');
    const told: string[] = [];
    const watches = new FolderWatches((words) => told.push(words));
    expect(['file', 'nothing'].map((name) => watches.add(join(dir, name), () => undefined))).toEqual([false, false]);
    expect([told, watches.isWhole]).toEqual([[], true]);
    expect([folderIdentity(join(dir, 'file')), folderIdentity(join(dir, 'file', 'below')), folderIdentity(join(dir, 'nothing')), entriesIn(join(dir, 'nothing'))]).toEqual([undefined, undefined, undefined, []]);
  });

  it('tells the limit of folders from that of programs, each with what raises it', () => {
    const failed = (code: string): Error => Object.assign(new Error(`watch ${code}`), { code });
    expect(whyUnwatched(failed('ENOSPC'))).toMatch(/watched folders is reached: sysctl fs\.inotify\.max_user_watches=/);
    expect(whyUnwatched(failed('EMFILE'))).toMatch(/programs that watch folders is reached: sysctl fs\.inotify\.max_user_instances=/);
    expect(whyUnwatched(failed('EACCES'))).toBe('watch EACCES');
  });
});
