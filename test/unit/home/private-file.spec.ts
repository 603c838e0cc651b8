// Small private files, on the real file system.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPrivateFile, MAX_FILE_BYTES, readPrivateFile, removeHalfWritten, replacePrivateFile } from '../../../src/home/private-file.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

describe('replacePrivateFile', () => {
  it('writes with mode 0600 whatever stood there, and leaves nothing beside it', async () => {
    const dir = makeFolder();
    const path = join(dir, 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    await replacePrivateFile(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  it('puts a new file in place and never writes into the old one', async () => {
    const path = join(makeFolder(), 'file');
    writeFileSync(path, 'old');
    const { ino } = statSync(path);
    await replacePrivateFile(path, 'new');
    expect(statSync(path).ino).not.toBe(ino);
  });

  it('names the file when it cannot, and leaves nothing', async () => {
    const dir = makeFolder();
    mkdirSync(join(dir, 'taken'));
    await expect(replacePrivateFile(join(dir, 'taken'), 'x')).rejects.toThrow(join(dir, 'taken'));
    expect(readdirSync(dir)).toEqual(['taken']);
  });
});

describe('createPrivateFile', () => {
  it('makes it for exactly one of many who try at the same time', async () => {
    const dir = makeFolder();
    const path = join(dir, 'file');
    const made = await Promise.all(Array.from({ length: 8 }, (_, index) => createPrivateFile(path, String(index))));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toBe(String(made.indexOf(true)));
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['file']);
  });
});

describe('removeHalfWritten', () => {
  it('removes what a crash left beside files, and nothing else', async () => {
    const dir = makeFolder();
    const kept = ['maps.json', 'notes.tmp', 'lock.0123456789ab.tmp', 'move-0123456789abcdef.json'];
    for (const name of [...kept, 'maps.json.0123456789ab.tmp', 'move-0123456789abcdef.json.new']) writeFileSync(join(dir, name), '');
    await removeHalfWritten(dir);
    expect(readdirSync(dir).sort()).toEqual(kept.sort());
  });
});

describe('readPrivateFile', () => {
  it('gives undefined when there is no file', async () => {
    expect(await readPrivateFile(join(makeFolder(), 'none'))).toBeUndefined();
  });

  it('closes a file that others could read', async () => {
    const path = join(makeFolder(), 'file');
    writeFileSync(path, 'text');
    chmodSync(path, 0o644);
    expect(await readPrivateFile(path)).toBe('text');
    expect(modeOf(path)).toBe(0o600);
  });

  it('refuses what is no UTF-8, too large, a folder or a pipe, and names it', async () => {
    const dir = makeFolder();
    const paths = ['latin1', 'large', 'folder', 'pipe'].map((name) => join(dir, name));
    const [latin1 = '', large = '', folder = '', pipe = ''] = paths;
    writeFileSync(latin1, Buffer.from([0x67, 0xfc]));
    writeFileSync(large, Buffer.alloc(MAX_FILE_BYTES + 1, 0x20));
    mkdirSync(folder);
    execFileSync('mkfifo', [pipe]);
    for (const path of paths) {
      await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    }
  });
});
