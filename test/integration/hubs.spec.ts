// Hubs: ordinary remotes that are kept in sync (`remote.<name>.xmppSync`), with real git, real agents and devices that were never paired with one another.
// Rule: whatever a hub does, its repository and those here are sound afterwards, and status says how it stands.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

let server: Prosody;
let a: Device;
let b: Device;
let count = 0;
/** Of each test: the hub, and the clones of both. */
let hub: string;
let [atA, atB] = ['', ''];

beforeAll(async () => {
  server = await startProsody({ hasProxy: false, accounts: { romeo: 'pass-one', juliet: 'pass-two' } });
  [a, b] = (await Promise.all([new Device('anna').prepare(), new Device('bob').prepare()])) as [Device, Device];
  await Promise.all([a.login(server, 'romeo', 'pass-one'), b.login(server, 'juliet', 'pass-two')]);
});

afterAll(async () => {
  await a?.remove();
  await b?.remove();
  await server?.stop();
});

beforeEach(async () => {
  count += 1;
  hub = a.path(`hub-${count}.git`);
  await a.git(a.dir, 'init', '--quiet', '--bare', hub);
  atA = await clone(a, `work-${count}`);
  await commit(a, atA, 'first');
  await a.git(atA, 'push', '--quiet', 'origin', 'main');
  atB = await clone(b, `work-${count}`);
});

async function clone(device: Device, name: string): Promise<string> {
  await device.git(device.dir, 'clone', '--quiet', hub, name);
  return device.path(name);
}

async function commit(device: Device, dir: string, file: string, text = file): Promise<string> {
  await writeFile(path.join(dir, file), `${text}\n`);
  await device.git(dir, 'add', '--all');
  await device.git(dir, 'commit', '--quiet', '--message', `${file} of ${device.name}`);
  return device.git(dir, 'rev-parse', 'HEAD');
}

async function share(device: Device, dir: string, mode = 'both'): Promise<void> {
  await device.git(dir, 'config', 'remote.origin.xmppSync', mode);
  const { code, stderr } = await device.xmppIn(dir, 'share', '--new');
  expect(code, stderr).toBe(0);
}

async function expectSound(...dirs: string[]): Promise<void> {
  for (const dir of dirs) {
    const { code, stdout, stderr } = await a.run('git', ['-c', 'safe.directory=*', 'fsck', '--full', '--strict'], { cwd: dir });
    expect(code, stderr).toBe(0);
    expect(stdout).not.toMatch(/missing|broken|error/);
  }
}

describe('a hub that two devices share, which are not paired', () => {
  it('takes the commit of one, under its own name too, and gives it to the other, whose work tree moves', async () => {
    await share(a, atA);
    await share(b, atB);
    const oid = await commit(a, atA, 'from-anna');
    await a.ref(hub, 'main', oid);
    await b.ref(atB, 'main', oid);
    expect(await b.git(atB, 'status', '--porcelain')).toBe('');
    const synced = (await a.git(hub, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/synced')).split('\n');
    expect(synced).toContainEqual(expect.stringMatching(new RegExp(`^refs/heads/synced/anna-[0-9a-f]{8}/main ${oid}$`)));
    const back = await commit(b, atB, 'from-bob');
    await a.ref(atA, 'main', back);
    await expectSound(hub, atA, atB);
  });
});
