// What is noticed in a work tree.

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunGit } from '../../../src/git/run.ts';
import { WorkWatch } from '../../../src/git/work-watch.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, writeFiles } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const runGit = createRunGit(cleanEnv());

let repo: TestRepo;
let watched: WorkWatch | undefined;
let touched = new Set<string>();

async function start(): Promise<WorkWatch> {
  watched = new WorkWatch(runGit, await open(repo), {
    onTouched: (path) => touched.add(path),
    onProblem: (words) => {
      throw new Error(words);
    },
  });
  await watched.refresh();
  return watched;
}

/** Waits until all of `paths` were told. */
async function expectTouched(...paths: string[]): Promise<void> {
  await until(() => paths.every((path) => touched.has(path)));
  touched = new Set();
}

/** A write that is told after all that came before it. */
async function quiet(): Promise<void> {
  const name = `quiet-${Math.random()}`;
  writeFileSync(join(repo.dir, name), '');
  await until(() => touched.has(name));
}

beforeEach(() => {
  repo = makeRepo();
  commit(repo, { a: 'a', 'd/b': 'b', 'd/e/c': 'c', '.gitignore': 'build/\n' }, 'one');
  touched = new Set();
});

afterEach(() => watched?.stop());

describe('WorkWatch', () => {
  it('sees files written, made, renamed and removed, at any depth', async () => {
    await start();
    appendFileSync(join(repo.dir, 'a'), 'more');
    writeFileSync(join(repo.dir, 'd/e/new'), '');
    await expectTouched('a', 'd/e/new');
    renameSync(join(repo.dir, 'a'), join(repo.dir, 'd/moved'));
    rmSync(join(repo.dir, 'd/e/c'));
    await expectTouched('a', 'd/moved', 'd/e/c');
  });

  it('misses nothing in folders that are made as fast as the disk can', async () => {
    await start();
    const files = Array.from({ length: 400 }, (_none, index) => `n${index % 20}/m${index % 7}/o${index % 3}/${index}`);
    writeFiles(repo.dir, Object.fromEntries(files.map((file) => [file, 'x'])));
    await expectTouched(...files);
    for (const file of files) appendFileSync(join(repo.dir, file), 'y');
    await expectTouched(...files);
  });

  it('watches a folder that comes in place of another, and what is in it', async () => {
    await start();
    renameSync(join(repo.dir, 'd'), join(repo.dir, 'old'));
    writeFiles(repo.dir, { 'd/e/c': 'other' });
    await expectTouched('d', 'old', 'old/e/c', 'd/e/c');
    appendFileSync(join(repo.dir, 'd/e/c'), 'x');
    appendFileSync(join(repo.dir, 'old/e/c'), 'x');
    await expectTouched('d/e/c', 'old/e/c');
  });

  it('says nothing of .git, ignored folders, new ones too, and repositories within', async () => {
    writeFiles(repo.dir, { 'build/x': 'x' });
    git(repo.dir, 'init', '-q', 'inner');
    await start();
    writeFiles(repo.dir, { 'build/y': 'y', 'inner/z': 'z', 'd/build/x/y': 'y' });
    git(repo.dir, 'init', '-q', 'later');
    await until(() => touched.has('later') && touched.has('d/build'));
    await quiet();
    writeFiles(repo.dir, { 'd/build/x/z': 'z', 'later/z': 'z', 'build/z': 'z' });
    git(repo.dir, 'update-ref', 'refs/heads/x', 'HEAD');
    await quiet();
    expect([...touched].filter((path) => /^(?:build|inner\/|later\/|d\/build\/|\.git)/.test(path) && path !== '.gitignore')).toEqual([]);
  });

  it('says nothing more of a file that is left out', async () => {
    const watch = await start();
    watch.leaveOut('d/b');
    appendFileSync(join(repo.dir, 'd/b'), 'x');
    await quiet();
    expect(touched.has('d/b')).toBe(false);
  });

  it('follows the rules of what is ignored, and then anything may have changed', async () => {
    writeFiles(repo.dir, { 'build/x/y': 'y' });
    await start();
    writeFileSync(join(repo.dir, '.gitignore'), 'd/\n');
    await expectTouched('');
    appendFileSync(join(repo.dir, 'build/x/y'), 'z');
    await expectTouched('build/x/y');
  });

  it('names empty folders, up to a number', async () => {
    mkdirSync(join(repo.dir, 'empty/in/it'), { recursive: true });
    mkdirSync(join(repo.dir, 'd/empty'));
    const watch = await start();
    expect((await watch.emptyFolders(10)).toSorted()).toEqual(['d/empty', 'empty/in/it']);
    expect(await watch.emptyFolders(1)).toHaveLength(1);
  });

  it('says nothing after it is stopped', async () => {
    const watch = await start();
    watch.stop();
    writeFiles(repo.dir, { x: 'x' });
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(touched.size).toBe(0);
  });
});

/** In a name space of its own, where the system's limit can be set. */
const LIMITED = `
import { createRunGit } from './src/git/run.ts';
import { openRepository } from './src/git/repository.ts';
import { WorkWatch } from './src/git/work-watch.ts';
const runGit = createRunGit(process.env);
const told = [];
const watch = new WorkWatch(runGit, await openRepository(runGit, process.argv[2]), { onTouched: () => undefined, onProblem: (words) => told.push(words) });
await watch.refresh();
await watch.refresh();
process.stdout.write(JSON.stringify({ told, isWhole: watch.isWhole }));
process.exit(0);
`;
const LIMIT = 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
const inNameSpace = (...args: string[]): ReturnType<typeof spawnSync> => spawnSync('unshare', ['-Ur', 'sh', '-c', LIMIT, ...args], { env: cleanEnv(), encoding: 'utf8' });

describe.runIf(inNameSpace('true').status === 0)('WorkWatch under a limit of the system', () => {
  it('tells once which limit is reached and what raises it, and that not all is watched', () => {
    const script = join(makeFolder(), 'watch.mjs');
    const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
    buildSync({ stdin: { contents: LIMITED, resolveDir: process.cwd(), loader: 'js' }, bundle: true, platform: 'node', format: 'esm', outfile: script, logLevel: 'error', banner });
    const { stdout, stderr } = inNameSpace(process.execPath, script, repo.dir);
    expect(stderr).toBe('');
    const words = expect.stringMatching(/is not watched: the system's limit of watched folders is reached: sysctl fs\.inotify\.max_user_watches/) as string;
    expect(JSON.parse(String(stdout))).toEqual({ told: [words], isWhole: false });
  });
});
