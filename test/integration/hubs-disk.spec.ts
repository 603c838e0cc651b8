// A hub on a disk that comes and goes: a tmpfs that is mounted and unmounted. Rule: what was noticed was told by the mount table; no path was polled.

import { cp, mkdir, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { mayMount, mountSmallDisk } from '../helpers/small-disk.ts';
import type { SmallDisk } from '../helpers/small-disk.ts';

const device = new Device('laptop');
let server: Prosody;
let [notes, stick, image] = ['', '', ''];
let disk: SmallDisk | undefined;

beforeAll(async () => {
  server = await startProsody({ hasProxy: false, accounts: { romeo: 'correct-horse' } });
  await device.prepare();
  await device.login(server, 'romeo', 'correct-horse');
  [stick, image] = [device.path('stick'), device.path('image')];
  await mkdir(stick);
  await device.git(device.dir, 'init', '--quiet', '--bare', image);
  notes = await device.repo('notes');
  await device.git(notes, 'remote', 'add', 'usb', `${stick}/notes.git`);
  await device.git(notes, 'config', 'remote.usb.xmppSync', 'both');
  expect(await device.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await disk?.unmount();
  await device.remove();
  await server?.stop();
});

async function plugIn(): Promise<void> {
  disk = await mountSmallDisk(stick, 16);
  await cp(image, `${stick}/notes.git`, { recursive: true });
  // Real media bring their files with them: what is mounted last is what tells.
  await (await mountSmallDisk(`${stick}/notes.git/branches`, 1)).unmount();
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
    await rm(image, { recursive: true });
    await cp(`${stick}/notes.git`, image, { recursive: true });
    await disk?.unmount();
    await state((now) => now === 'not there');
    await device.commit(notes, { 'a.txt': 'two\n' }, 'away again');
    expect(await device.git(notes, 'fsck', '--full', '--strict')).not.toMatch(/missing|broken/);
    await plugIn();
    await device.ref(`${stick}/notes.git`, 'main', await device.git(notes, 'rev-parse', 'main'));
  });
});
