import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../helpers/device.ts';
import { whatIsWrong } from '../../helpers/sound.ts';

let device: Device;
let dir: string;
let first: string;
let second: string;

beforeEach(async () => {
  device = await new Device('sound').prepare();
  dir = await device.repo('notes');
  first = await device.git(dir, 'rev-parse', 'HEAD');
  second = await device.commit(dir, { 'a.txt': 'a\n' }, 'second');
});

afterEach(() => device.remove());

const wrong = async (tip: string): Promise<string[]> => whatIsWrong([{ device, dir }], tip, { lastingMs: 1_000 });

describe('what is wrong with copies', () => {
  it('is nothing where the tip holds every commit', async () => {
    expect(await wrong(second)).toEqual([]);
  });

  it('is nothing where a person left a commit on purpose', async () => {
    await device.git(dir, 'reset', '--quiet', '--hard', first);
    expect(await wrong(first)).toEqual([]);
  });

  it('is a commit that is gone though no person left it', async () => {
    await device.git(dir, 'update-ref', '-m', 'xmpp: fast-forward', 'refs/heads/main', first);
    await device.git(dir, 'reset', '--quiet', '--hard');
    expect(await wrong(first)).toEqual([`lost: ${second} second of sound`]);
  });

  it('is not an automatic merge that was replaced', async () => {
    const automatic = ['-c', 'user.name=git-xmpp', '-c', 'user.email=git-xmpp@localhost', 'commit', '--quiet', '--allow-empty', '-m', 'automatic'];
    await device.git(dir, ...automatic);
    await device.git(dir, 'update-ref', '-m', 'xmpp: merge', 'refs/heads/main', second);
    expect(await wrong(second)).toEqual([]);
  });

  it('is an object that is missing, a lock that stays, an operation under way and a file that is not committed', async () => {
    const blob = await device.git(dir, 'rev-parse', 'HEAD:a.txt');
    await device.run('rm', ['-f', path.join(dir, '.git/objects', blob.slice(0, 2), blob.slice(2))]);
    for (const file of ['.git/refs/heads/main.lock', '.git/MERGE_HEAD', 'loose.txt']) writeFileSync(path.join(dir, file), '');
    const found = (await wrong(second)).join('\n');
    for (const words of [`missing blob ${blob}`, 'main.lock', 'MERGE_HEAD', '?? loose.txt']) expect(found).toContain(words);
  });
});
