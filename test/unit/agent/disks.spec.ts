import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Disk, gitDirAt } from '../../../src/agent/disks.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

let dir: string;
let hub: string;
let disk: Disk | undefined;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-disk-'));
  hub = path.join(dir, 'hub.git');
});

afterEach(() => disk?.stop());

async function makeHub(at: string): Promise<void> {
  await mkdir(path.join(at, 'refs/heads'), { recursive: true });
  await writeFile(path.join(at, 'HEAD'), 'ref: refs/heads/main\n');
}

describe('gitDirAt', () => {
  it('finds a bare repository, the .git of a work tree, and a name without its .git, and nothing else', async () => {
    await makeHub(hub);
    await makeHub(path.join(dir, 'work/.git'));
    expect(await gitDirAt(hub)).toBe(hub);
    expect(await gitDirAt(path.join(dir, 'hub'))).toBe(hub);
    expect(await gitDirAt(path.join(dir, 'work'))).toBe(path.join(dir, 'work/.git'));
    expect(await gitDirAt(dir)).toBeUndefined();
    expect(await gitDirAt(path.join(dir, 'nowhere'))).toBeUndefined();
  });
});

describe('Disk', () => {
  it('tells when its medium went and came, and of what is written on it, also on another one under the same path', async () => {
    const told: string[] = [];
    disk = new Disk({ path: hub, clock: realClock, onMedium: (isThere) => told.push(isThere ? 'there' : 'gone'), onHint: () => told.push('hint') });
    expect(await disk.look()).toBe(false);
    await makeHub(hub);
    expect(await disk.look()).toBe(true);
    expect(await disk.look()).toBe(true);
    expect(told).toEqual(['gone', 'there']);
    await writeFile(path.join(hub, 'refs/heads/main'), '1');
    await expect.poll(() => told.at(-1)).toBe('hint');
    await rename(hub, path.join(dir, 'away'));
    expect(await disk.look()).toBe(false);
    await makeHub(hub);
    await disk.look();
    const before = told.length;
    await writeFile(path.join(hub, 'refs/heads/other'), '1');
    await expect.poll(() => told.slice(before)).toContain('hint');
    await rm(hub, { recursive: true });
  });

  it('is looked at once however many ask while it does not answer, counts as gone then, and is there when it answers', async () => {
    await makeHub(hub);
    const clock = new VirtualClock();
    const told: boolean[] = [];
    const answers: ((dir: string) => void)[] = [];
    const find = (): Promise<string> => new Promise((resolve) => answers.push(resolve));
    disk = new Disk({ path: hub, clock, onMedium: (isThere) => told.push(isThere), onHint: () => undefined, find });
    const first = disk.look();
    await Promise.resolve();
    const others = [disk.look(), disk.look()];
    clock.advance(10_000);
    expect(await Promise.all([first, ...others])).toEqual([false, false, false]);
    expect([answers.length, told]).toEqual([1, [false]]);
    answers[0]?.(hub);
    await until(() => answers.length === 2);
    expect(told).toEqual([false, true]);
  });
});
