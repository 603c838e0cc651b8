// Looking at many files.

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lookAtFiles } from '../../../src/git/look.ts';
import { makeFolder, writeFiles } from '../../helpers/repo.ts';

const root = makeFolder();
writeFiles(root, { a: 'abc', 'd/b': '' });
symlinkSync('nowhere', join(root, 'link'));

it('looks at files, folders and links, and finds nothing where nothing is', async () => {
  const found: unknown[] = [];
  const asked = ['a', 'd', 'd/b', 'link', 'gone', 'a/in', 'gone/in', 'x'.repeat(300)].map((name) => ({ path: Buffer.from(name) }));
  for await (const [, stats] of lookAtFiles(root, asked)) found.push(stats === undefined ? undefined : stats.isFile() ? stats.size : stats.isDirectory() ? 'folder' : 'link');
  expect(found).toEqual([3, 'folder', 0, 'link', undefined, undefined, undefined, undefined]);
});

it('lets others have their turn', async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 1000) setImmediate(count);
  };
  setImmediate(count);
  let files = 0;
  for await (const [, stats] of lookAtFiles(root, Array.from({ length: 3000 }, () => ({ path: Buffer.from('a') })))) if (stats !== undefined) files += 1;
  expect(files).toBe(3000);
  expect(turns).toBeGreaterThan(5);
  turns = 1000;
});
