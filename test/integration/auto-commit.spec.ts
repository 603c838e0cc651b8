// Two devices that keep one folder the same by `share --folder`: what is written in one is in the other, with nobody committing.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { until } from '../helpers/waiting.ts';

let two: TwoDevices;
let laptop: Device;
let desktop: Device;
/** The folder on the laptop, and on the desktop. */
let here: string;
let there: string;

beforeAll(async () => {
  two = await startTwoDevices();
  ({ laptop, desktop } = two);
  [here, there] = [laptop.path('docs'), desktop.path('docs')];
  await mkdir(here);
  await writeFile(path.join(here, 'first.txt'), 'first\n');
  await laptop.xmpp('share', '--folder', here);
  await laptop.event(({ type, repo }) => type === 'committed' && repo === 'docs');
  await desktop.xmpp('clone', 'laptop/docs', there);
  await desktop.xmpp('share', '--folder', there);
});

afterAll(() => two.stop());

/** Waits until a file has this text. */
async function arrives(dir: string, file: string, text: string): Promise<void> {
  const at = path.join(dir, file);
  await until(async () => (await readFile(at, 'utf8').catch(() => undefined)) === text);
}

/** Waits until both folders are clean, at one commit. */
async function areSame(): Promise<void> {
  await until(async () => {
    const [mine, its] = await Promise.all([laptop.run('git', ['rev-parse', 'HEAD'], { cwd: here }), desktop.run('git', ['rev-parse', 'HEAD'], { cwd: there })]);
    if (mine.stdout !== its.stdout) return false;
    const status = await Promise.all([laptop.git(here, 'status', '--porcelain'), desktop.git(there, 'status', '--porcelain')]);
    return status.every((each) => each === '');
  });
}

/** Waits until a device says this of what is not committed. */
async function says(device: Device, words: RegExp): Promise<void> {
  await device.statusWhen(({ repos }) => repos[0]?.autoCommit?.leftOut.some((each) => words.test(each)) === true);
}

async function count(): Promise<number> {
  return Number(await laptop.git(here, 'rev-list', '--count', 'HEAD'));
}

describe('share --folder', () => {
  it('makes a folder a repository that commits by itself, with what was in it, and leaves what its person has set', async () => {
    expect(await laptop.git(here, 'config', 'xmpp.autoCommit')).toBe('true');
    expect(await laptop.git(here, 'config', 'xmpp.merge')).toBe('merge');
    await arrives(there, 'first.txt', 'first\n');
    expect(await desktop.git(there, 'log', '--format=%an %s')).toBe('laptop changes on laptop');
  });

  it('brings a file from either side to the other, and no commit comes back', async () => {
    await areSame();
    const before = await count();
    await writeFile(path.join(here, 'a.txt'), 'from the laptop\n');
    await arrives(there, 'a.txt', 'from the laptop\n');
    await writeFile(path.join(there, 'b.txt'), 'from the desktop\n');
    await arrives(here, 'b.txt', 'from the desktop\n');
    await areSame();
    expect(await count()).toBe(before + 2);
  });

  it('commits a burst of 2000 files in few commits, whole', async () => {
    await areSame();
    const before = await count();
    await mkdir(path.join(here, 'burst'));
    for (let index = 0; index < 2000; index += 1) {
      const dir = path.join(here, 'burst', String(index % 40), 'deep');
      await mkdir(dir, { recursive: true });
      await writeFile(path.join(dir, `${index}.txt`), `file ${index}\n`);
    }
    await until(async () => (await laptop.git(here, 'status', '--porcelain')) === '');
    await areSame();
    expect(await desktop.git(there, 'ls-files', 'burst').then((text) => text.split('\n').length)).toBe(2000);
    expect((await count()) - before).toBeLessThan(6);
  });

  it('takes a rename as one commit, and a deletion', async () => {
    await areSame();
    const before = await count();
    await rename(path.join(here, 'burst/7'), path.join(here, 'seventh'));
    await arrives(there, 'seventh/deep/7.txt', 'file 7\n');
    await areSame();
    expect(existsSync(path.join(there, 'burst/7'))).toBe(false);
    expect(await count()).toBe(before + 1);
    await rm(path.join(there, 'burst'), { recursive: true });
    await until(() => !existsSync(path.join(here, 'burst')));
    await areSame();
  });

  it('leaves alone what is ignored, also when it is only ignored from now on', async () => {
    await writeFile(path.join(here, '.gitignore'), 'build/\n*.log\n');
    await mkdir(path.join(here, 'build/deep'), { recursive: true });
    await writeFile(path.join(here, 'build/deep/x.txt'), 'x');
    await writeFile(path.join(here, 'x.log'), 'x');
    await arrives(there, '.gitignore', 'build/\n*.log\n');
    await writeFile(path.join(here, 'last.txt'), 'last\n');
    await arrives(there, 'last.txt', 'last\n');
    expect(existsSync(path.join(there, 'build'))).toBe(false);
    expect(existsSync(path.join(there, 'x.log'))).toBe(false);
  });

  it('waits for a file that is being written, and sends the others meanwhile', async () => {
    const slow = path.join(here, 'slow.bin');
    await writeFile(slow, '');
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        await appendFile(slow, 'x');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await writeFile(path.join(here, 'quick.txt'), 'quick\n');
    await arrives(there, 'quick.txt', 'quick\n');
    expect(await laptop.git(here, 'ls-files', 'slow.bin')).toBe('');
    isWriting = false;
    await writing;
    await arrives(there, 'slow.bin', readFileSync(slow, 'utf8'));
  });

  it('names what it leaves out: large files, repositories within, empty folders', async () => {
    await laptop.git(here, 'config', 'xmpp.autoCommitMaxSize', '1m');
    await writeFile(path.join(here, 'large.bin'), Buffer.alloc((1 << 20) + 1));
    await laptop.git(here, 'init', '--quiet', 'inner');
    await writeFile(path.join(here, 'inner/mine.txt'), 'mine');
    await mkdir(path.join(here, 'empty'));
    await writeFile(path.join(here, 'beside.txt'), 'beside\n');
    await arrives(there, 'beside.txt', 'beside\n');
    await says(laptop, /^large\.bin has 1048577 bytes, more than xmpp\.autoCommitMaxSize/);
    await says(laptop, /^inner is a repository of its own/);
    await says(laptop, /^empty is empty/);
    await laptop.event(({ type, words }) => type === 'left-out' && words.startsWith('large.bin'));
    for (const name of ['large.bin', 'inner', 'empty']) expect(existsSync(path.join(there, name))).toBe(false);
    expect((await laptop.xmpp('status')).stdout).toContain('not committed: large.bin has 1048577 bytes');
    for (const name of ['large.bin', 'inner', 'empty']) rmSync(path.join(here, name), { recursive: true });
  });

  it('waits while something is staged, says so, and goes on after', async () => {
    await writeFile(path.join(here, 'by-hand.txt'), 'by hand\n');
    await laptop.git(here, 'add', 'by-hand.txt');
    await writeFile(path.join(here, 'other.txt'), 'other\n');
    await laptop.statusWhen(({ repos }) => repos[0]?.autoCommit?.waiting?.includes('something is staged (by-hand.txt)') === true);
    await laptop.git(here, 'commit', '--quiet', '-m', 'by hand');
    await arrives(there, 'other.txt', 'other\n');
    expect((await laptop.git(here, 'log', '--format=%s', '-2')).split('\n')).toEqual(['changes on laptop', 'by hand']);
    expect((await laptop.status()).repos[0]?.autoCommit?.waiting).toBeUndefined();
  });

  it('asks before it deletes everything', async () => {
    await areSame();
    const tip = await laptop.git(here, 'rev-parse', 'HEAD');
    const names = (await laptop.git(here, 'ls-files')).split('\n').map((each) => each.split('/')[0] ?? '');
    for (const name of new Set(names)) await rm(path.join(here, name), { recursive: true });
    await laptop.statusWhen(({ repos }) => repos[0]?.autoCommit?.waiting?.includes('every file is gone') === true);
    expect(await laptop.git(here, 'rev-parse', 'HEAD')).toBe(tip);
    await laptop.git(here, 'restore', '.');
    await laptop.statusWhen(({ repos }) => repos[0]?.autoCommit?.waiting === undefined);
    expect(await laptop.git(here, 'rev-parse', 'HEAD')).toBe(tip);
  });

  it('keeps both where one file is changed on both sides at once', async () => {
    await areSame();
    await Promise.all([writeFile(path.join(here, 'both.txt'), 'from here\n'), writeFile(path.join(there, 'both.txt'), 'from there\n')]);
    // One that is exchanged for another between its name and its contents is not there for a moment.
    const contents = async (dir: string): Promise<string[]> => {
      const names = readdirSync(dir).filter((name) => name.startsWith('both.'));
      return (await Promise.all(names.map((name) => readFile(path.join(dir, name), 'utf8').catch(() => '')))).toSorted();
    };
    const haveBoth = async (dir: string): Promise<boolean> => (await contents(dir)).join('') === 'from here\nfrom there\n';
    await until(async () => (await haveBoth(here)) && (await haveBoth(there)));
    expect(await Promise.all([contents(here), contents(there)])).toEqual([['from here\n', 'from there\n'], ['from here\n', 'from there\n']]);
    await areSame();
  });

  it('stops when it is switched off, and finds what changed meanwhile when it is on again', async () => {
    await laptop.git(here, 'config', 'xmpp.autoCommit', 'false');
    await laptop.statusWhen(({ repos }) => repos[0]?.autoCommit === undefined);
    await writeFile(path.join(here, 'meanwhile.txt'), 'meanwhile\n');
    await laptop.git(here, 'config', 'xmpp.autoCommit', 'perhaps');
    await laptop.event(({ type, words }) => type === 'bad-setting' && words.includes('"perhaps"'));
    expect(await laptop.git(here, 'status', '--porcelain')).toBe('?? meanwhile.txt');
    await laptop.git(here, 'config', 'xmpp.autoCommit', 'true');
    await arrives(there, 'meanwhile.txt', 'meanwhile\n');
  });

  it('switches on commits and merging where its person has set neither', async () => {
    const other = await laptop.repo('other');
    await laptop.git(other, 'config', 'xmpp.autoCommit', 'false');
    await laptop.xmpp('share', '--folder', other);
    expect(await laptop.git(other, 'config', '--local', '--get-regexp', '^xmpp.(auto|merge)')).toBe('xmpp.autocommit false\nxmpp.merge merge');
  });
});
