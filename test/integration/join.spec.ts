// `share` joins before it founds (docs/git-xmpp.1): two clones of one ordinary remote become one repository, and `origin` stays as it was.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let two: TwoDevices;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  two = await startTwoDevices();
  ({ laptop, desktop } = two);
});

afterAll(() => two.stop());

/** An ordinary bare remote with one commit, cloned on both devices. */
async function cloneOnBoth(name: string): Promise<{ readonly here: string; readonly there: string; readonly url: string }> {
  const seed = await laptop.repo(`${name}-seed`, { 'a.txt': `${name}\n` });
  const url = laptop.path(`${name}.git`);
  await laptop.git(laptop.dir, 'clone', '--quiet', '--bare', seed, url);
  const [here, there] = [laptop.path(name), desktop.path(name)];
  await laptop.git(laptop.dir, 'clone', '--quiet', url, here);
  await desktop.git(desktop.dir, 'clone', '--quiet', url, there);
  return { here, there, url };
}

async function idOf(device: Device, name: string): Promise<string | undefined> {
  return (await device.status()).repos.find((repo) => repo.name === name)?.id;
}

async function expectInSync(name: string, { here, there, url }: Awaited<ReturnType<typeof cloneOnBoth>>): Promise<void> {
  expect(await idOf(laptop, name)).toBe(await idOf(desktop, name));
  const oid = await laptop.commit(here, { 'b.txt': 'from the laptop\n' }, 'on the laptop');
  await desktop.head(there, oid);
  const back = await desktop.commit(there, { 'c.txt': 'from the desktop\n' }, 'on the desktop');
  await laptop.head(here, back);
  for (const [device, dir] of [[laptop, here], [desktop, there]] as const) {
    expect(await device.git(dir, 'config', 'remote.origin.url')).toBe(url);
    expect(await device.git(dir, 'config', 'checkout.defaultRemote')).toBe('origin');
  }
  expect(await laptop.git(laptop.dir, '--git-dir', url, 'rev-list', '--count', '--all')).toBe('1');
}

describe('two clones of one remote', () => {
  it('are one repository once both are shared, the first commit being the same', async () => {
    const clones = await cloneOnBoth('first');
    expect((await laptop.xmppIn(clones.here, 'share')).code).toBe(0);
    const joined = await desktop.xmppIn(clones.there, 'share');
    expect(joined.stderr).toMatch(/joined laptop\/first: same first commit [0-9a-f]{7}/);
    await expectInSync('first', clones);
  });

  it('are one repository in the other order too', async () => {
    const clones = await cloneOnBoth('second');
    expect((await desktop.xmppIn(clones.there, 'share')).code).toBe(0);
    expect((await laptop.xmppIn(clones.here, 'share')).stderr).toContain('joined desktop/second');
    await expectInSync('second', clones);
  });

  it('become one by the command that status names, when they were shared while the other was away', async () => {
    const clones = await cloneOnBoth('third');
    expect((await laptop.xmppIn(clones.here, 'share')).code).toBe(0);
    await laptop.stop();
    const founded = await desktop.xmppIn(clones.there, 'share');
    expect(founded).toMatchObject({ code: 0 });
    expect(founded.stderr).toContain('laptop could not be asked');
    await laptop.xmpp('daemon', 'start');
    await desktop.event(({ type, words }) => type === 'twin' && words.includes('third'));
    const [note = ''] = (await desktop.status()).notes.filter((each) => each.includes('third'));
    const command = note.slice(note.indexOf('git xmpp ')).split(' ').slice(2);
    expect(command).toContain('--join');
    const mended = await desktop.run('git-xmpp', command);
    expect(mended).toMatchObject({ code: 0 });
    await expectInSync('third', clones);
    expect((await desktop.status()).notes.filter((each) => each.includes('third'))).toEqual([]);
  });

  it('are listed, and nothing changes, where several would do', async () => {
    const clones = await cloneOnBoth('fourth');
    const copy = laptop.path('fourth-copy');
    await laptop.git(laptop.dir, 'clone', '--quiet', clones.url, copy);
    await laptop.xmppIn(clones.here, 'share');
    await laptop.xmppIn(copy, 'share', '--new');
    const refused = await desktop.xmppIn(clones.there, 'share');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('git xmpp share --join laptop/fourth');
    expect(refused.stderr).toContain('git xmpp share --join laptop/fourth-copy');
    expect(await idOf(desktop, 'fourth')).toBeUndefined();
    expect((await desktop.xmppIn(clones.there, 'share', '--join', 'laptop/fourth')).code).toBe(0);
    expect(await idOf(desktop, 'fourth')).toBe(await idOf(laptop, 'fourth'));
  });
});
