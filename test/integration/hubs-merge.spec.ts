// Devices that know of each other through a bare hub alone, each with `xmpp.merge = merge`. Rule: whoever was refused there ends merged and pushed, and all
// devices and the hub end at one commit.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const NAMES = ['romeo', 'juliet', 'nurse'];
const devices = NAMES.map((name) => new Device(name));
const [first, second, third] = devices as [Device, Device, Device];
let server: Prosody;
let hub: string;

beforeAll(async () => {
  server = await startProsody({ hasProxy: false, accounts: Object.fromEntries(NAMES.map((name) => [name, `pass-${name}`])) });
  await Promise.all(devices.map((device) => device.prepare()));
  await Promise.all(devices.map((device) => device.login(server, device.name, `pass-${device.name}`)));
  hub = first.path('hub.git');
  await first.git(first.dir, 'init', '--quiet', '--bare', hub);
  const seed = await first.repo('seed', { 'shared.txt': 'one\ntwo\nthree\n' });
  await first.git(seed, 'push', '--quiet', hub, 'main');
  for (const device of devices) {
    await device.git(device.dir, 'clone', '--quiet', hub, 'notes');
    await device.git(at(device), 'config', 'xmpp.merge', 'merge');
    await device.git(at(device), 'config', 'remote.origin.xmppSync', 'both');
    expect(await device.xmppIn(at(device), 'share', '--new')).toMatchObject({ code: 0 });
  }
});

afterAll(async () => {
  await Promise.all(devices.map((device) => device.remove()));
  await server?.stop();
});

const at = (device: Device): string => device.path('notes');
const tip = (device: Device, dir = at(device)): Promise<string> => device.git(dir, 'rev-parse', 'main');

/** All commit at once: what each is told of the others comes too late. */
async function commitAll(files: (device: Device) => Record<string, string>): Promise<string[]> {
  for (const device of devices) device.suspend();
  const oids = await Promise.all(devices.map((device) => device.commit(at(device), files(device), `by ${device.name}`)));
  for (const device of devices) device.wake();
  return oids;
}

/** Waits until all devices and the hub are at one commit that contains all of `oids`. */
async function expectOneTip(oids: readonly string[]): Promise<string> {
  const tips = async (): Promise<Set<string>> => new Set(await Promise.all([...devices.map((device) => tip(device)), tip(first, hub)]));
  const isHeld = async (oid: string): Promise<boolean> => (await first.run('git', ['merge-base', '--is-ancestor', oid, 'main'], { cwd: hub })).code === 0;
  await expect.poll(async () => (await tips()).size === 1 && (await Promise.all(oids.map(isHeld))).every(Boolean), { timeout: 90_000, interval: 100 }).toBe(true);
  for (const device of devices) expect(await device.git(at(device), 'status', '--porcelain')).toBe('');
  const end = await first.run('git', ['-c', 'safe.directory=*', 'fsck', '--full', '--strict'], { cwd: hub });
  expect(end, end.stderr).toMatchObject({ code: 0 });
  return tip(first);
}

describe('three devices and a bare hub', () => {
  it('end at one commit after commits on different files', async () => {
    await expectOneTip(await commitAll(({ name }) => ({ [`${name}.txt`]: `${name}\n` })));
    expect((await first.git(at(first), 'ls-files')).split('\n')).toEqual(['juliet.txt', 'nurse.txt', 'romeo.txt', 'shared.txt']);
  });

  it('end at one commit after commits on the same line, with every side kept', async () => {
    await expectOneTip(await commitAll(({ name }) => ({ 'shared.txt': `one\n${name}\nthree\n` })));
    const texts = await first.git(at(first), 'grep', '-h', '--extended-regexp', '^(romeo|juliet|nurse)$', '--', 'shared*');
    expect(texts.split('\n').toSorted()).toEqual(NAMES.toSorted());
  });

  it('end at one commit while one amends and another commits', async () => {
    const kept = await second.commit(at(second), { 'kept.txt': 'kept\n' }, 'kept');
    await third.commit(at(third), { 'amended.txt': 'before\n' }, 'before');
    await writeFile(path.join(at(third), 'amended.txt'), 'after\n');
    await third.git(at(third), 'commit', '--quiet', '--all', '--amend', '--message', 'after');
    await expectOneTip([kept, await third.git(at(third), 'rev-parse', 'HEAD')]);
  });
});
