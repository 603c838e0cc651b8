import { chmod, mkdir, mkdtemp, readFile, rmdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MountWatch } from '../../../src/git/mounts.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-mounts-'));
});

/** A program that plays findmnt: says how it was started, tells of one change, and stays. */
async function played(script: string): Promise<string> {
  const command = path.join(dir, 'findmnt');
  await writeFile(command, `#!/bin/sh\necho "$@" >> ${dir}/asked\necho $$ > ${dir}/pid\n${script}\n`);
  await chmod(command, 0o755);
  return command;
}

async function isRunning(): Promise<boolean> {
  const pid = Number(await readFile(path.join(dir, 'pid'), 'utf8'));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('MountWatch', () => {
  it('tells all who listen of a change, with one process that ends with the last of them', async () => {
    const problems: string[] = [];
    const watch = new MountWatch({ command: await played('echo mount\nexec sleep 600'), onProblem: (words) => problems.push(words) });
    const told = new Set<string>();
    const stops = ['one', 'two'].map((name) => watch.onChange(() => void told.add(name)));
    await expect.poll(() => told.size).toBe(2);
    expect(await readFile(path.join(dir, 'asked'), 'utf8')).toMatch(/^--poll .*--timeout \d+\n$/);
    stops[0]?.();
    expect(await isRunning()).toBe(true);
    stops[1]?.();
    await expect.poll(isRunning).toBe(false);
    expect(problems).toEqual([]);
  });

  it('says once where there is no findmnt', async () => {
    const problems: string[] = [];
    const watch = new MountWatch({ command: path.join(dir, 'nothing'), onProblem: (words) => problems.push(words) });
    watch.onChange(() => undefined);
    await expect.poll(() => problems).toEqual([expect.stringMatching(/^findmnt \(util-linux\) was not found: a disk is noticed at the next/)]);
    watch.onChange(() => undefined);
    watch.stop();
    expect(problems).toHaveLength(1);
  });

  it('goes on where the system cannot start it at the moment, and does not call it missing', async () => {
    const problems: string[] = [];
    // Too long a name is thrown like want of memory.
    const watch = new MountWatch({ command: `/${'x'.repeat(5_000)}`, onProblem: (words) => problems.push(words) });
    watch.onChange(() => undefined);
    await new Promise(setImmediate);
    watch.stop();
    expect(problems).toEqual([]);
  });

  it('watches the folder that disks are mounted in, where a system has one', async () => {
    const problems: string[] = [];
    let count = 0;
    const watch = new MountWatch({ folder: dir, onProblem: (words) => problems.push(words) });
    watch.onChange(() => (count += 1));
    await mkdir(path.join(dir, 'disk'));
    await expect.poll(() => count).toBeGreaterThan(0);
    watch.stop();
    const before = count;
    await rmdir(path.join(dir, 'disk'));
    await new Promise(setImmediate);
    expect(count).toBe(before);
    new MountWatch({ folder: path.join(dir, 'none'), onProblem: (words) => problems.push(words) }).onChange(() => undefined);
    expect(problems).toEqual([expect.stringMatching(/\/none cannot be watched: a disk is noticed at the next sign-in/)]);
  });
});
