// A hub on a disk that comes and goes: a folder of a tmpfs that is mounted and unmounted. Rule: what was noticed was told by the mount table; no path was polled.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { mayMount, mountSmallDisk } from '../helpers/small-disk.ts';
import type { SmallDisk } from '../helpers/small-disk.ts';

const device = new Device('laptop');
let server: Prosody;
const run = promisify(execFile);
let [notes, stick, content] = ['', '', ''];
let disk: SmallDisk | undefined;

beforeAll(async () => {
  server = await startProsody({ hasProxy: false, accounts: { romeo: 'correct-horse' } });
  await device.prepare();
  await device.login(server, 'romeo', 'correct-horse');
  [stick, content] = [device.path('stick'), device.path('content')];
  await Promise.all([mkdir(stick), mkdir(content)]);
  if (mayMount()) disk = await mountSmallDisk(content, 16);
  await device.git(device.dir, 'init', '--quiet', '--bare', `${content}/notes.git`);
  notes = await device.repo('notes');
  await device.git(notes, 'remote', 'add', 'usb', `${stick}/notes.git`);
  await device.git(notes, 'config', 'remote.usb.xmppSync', 'both');
  expect(await device.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await pullOut().catch(() => undefined);
  await disk?.unmount();
  await device.remove();
  await server?.stop();
});

/** A medium brings its files with it: they lie on a disk that is mounted elsewhere all the time. */
async function plugIn(): Promise<void> {
  await run('mount', ['--bind', content, stick]);
}

/** As a stick that is pulled out: whoever has a file open there keeps it. */
async function pullOut(): Promise<void> {
  await run('umount', ['--lazy', stick]);
}

async function state(isIt: (state: string) => boolean): Promise<string> {
  const find = (repos: Awaited<ReturnType<Device['status']>>['repos']): string | undefined => repos[0]?.hubs?.[0]?.state;
  const status = await device.statusWhen(({ repos }) => isIt(find(repos) ?? ''));
  return find(status.repos) ?? '';
}

describe.skipIf(!mayMount())('a hub on a disk', () => {
  it('is waited for without a look, and synced at once when it is mounted', async () => {
    await state((now) => now === 'not there');
    const oid = await device.commit(notes, { 'a.txt': 'one\n' }, 'while it was away');
    await plugIn();
    await device.ref(`${stick}/notes.git`, 'main', oid);
    await state((now) => now === 'in sync');
  });

  it('is unplugged: that is a state and no error, and both repositories are sound', async () => {
    await pullOut();
    await state((now) => now === 'not there');
    await device.commit(notes, { 'a.txt': 'two\n' }, 'away again');
    expect(await device.git(notes, 'fsck', '--full', '--strict')).not.toMatch(/missing|broken/);
    await plugIn();
    await device.ref(`${stick}/notes.git`, 'main', await device.git(notes, 'rev-parse', 'main'));
  });

  it('is pulled out in the middle of a push: what was on it is sound, and the next time it is whole', async () => {
    const [begun, release] = [device.path('begun'), device.path('release')];
    await state((now) => now === 'in sync');
    await writeFile(`${stick}/notes.git/hooks/pre-receive`, `#!/bin/sh\ntouch ${begun}\nwhile ! test -e ${release}; do sleep 0.02; done\n`, { mode: 0o755 });
    const oid = await device.commit(notes, { 'a.txt': 'three\n' }, 'broken off');
    await expect.poll(() => existsSync(begun), { timeout: 10_000 }).toBe(true);
    await pullOut();
    await state((now) => now === 'not there');
    await rm(`${content}/notes.git/hooks/pre-receive`);
    expect(await device.git(`${content}/notes.git`, 'fsck', '--full', '--strict')).not.toMatch(/missing|broken/);
    await writeFile(release, '');
    await plugIn();
    await device.ref(`${stick}/notes.git`, 'main', oid);
    await state((now) => now === 'in sync');
    expect(await device.git(notes, 'fsck', '--full', '--strict')).not.toMatch(/missing|broken/);
  });
});
