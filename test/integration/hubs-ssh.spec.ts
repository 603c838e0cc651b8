// A hub behind a real sshd, with nothing of ours installed there, for two paired devices. Rule: a peer's word never makes a device ask a hub that it did not set
// up itself.

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { startSshd } from '../helpers/sshd.ts';
import type { Sshd } from '../helpers/sshd.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let setting: TwoDevices;
let sshd: Sshd;
let laptop: Device;
let desktop: Device;
let hub: string;
let [notes, copy] = ['', ''];

beforeAll(async () => {
  [setting, sshd] = await Promise.all([startTwoDevices(), startSshd()]);
  ({ laptop, desktop } = setting);
  hub = laptop.path('hub.git');
  await laptop.git(laptop.dir, 'init', '--quiet', '--bare', hub);
  for (const device of [laptop, desktop]) await device.git(device.dir, 'config', '--global', 'core.sshCommand', sshd.command);
  notes = await laptop.repo('notes');
  await laptop.git(notes, 'remote', 'add', 'hub', sshd.urlOf(hub));
  expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
  await desktop.xmpp('clone', 'laptop/notes');
  copy = desktop.path('notes');
});

afterAll(async () => {
  await setting?.stop();
  await sshd?.stop();
});

describe('a hub over ssh', () => {
  it('is pushed to by the ssh command of its person', async () => {
    await laptop.git(notes, 'config', 'remote.hub.xmppSync', 'both');
    const tip = await laptop.git(notes, 'rev-parse', 'main');
    await laptop.ref(hub, 'main', tip);
    // What was pushed is written down here once the hub has answered.
    await laptop.ref(notes, 'refs/remotes/hub/main', tip);
  });

  it('is fetched by a peer that uses it too, written as it may be, when it hears that there is something new', async () => {
    const url = `${path.dirname(sshd.urlOf(hub))}/hub`;
    await desktop.git(copy, 'remote', 'add', 'central', url);
    await desktop.git(copy, 'config', 'remote.central.xmppSync', 'fetch');
    await desktop.ref(copy, 'refs/xmpp/hubs/central/heads/main', await laptop.git(notes, 'rev-parse', 'main'));
    const oid = await laptop.commit(notes, { 'a.txt': 'one\n' }, 'told');
    await desktop.ref(copy, 'refs/xmpp/hubs/central/heads/main', oid);
    await desktop.head(copy, oid);
  });

  it('is not fetched by one that did not set it up, and not again by one that took the setting back', async () => {
    await desktop.git(copy, 'config', '--unset', 'remote.central.xmppSync');
    await desktop.ref(copy, 'refs/xmpp/hubs/central/heads/main', undefined);
    const oid = await laptop.commit(notes, { 'a.txt': 'two\n' }, 'untold');
    await laptop.ref(hub, 'main', oid);
    await desktop.head(copy, oid);
    expect(await desktop.git(copy, 'for-each-ref', 'refs/xmpp/hubs')).toBe('');
  });

  it('has another host key than before: nobody is asked, and it says so', async () => {
    await laptop.git(laptop.dir, 'config', '--global', 'core.sshCommand', sshd.command.replace(/UserKnownHostsFile=[^']*/, 'UserKnownHostsFile=/dev/null'));
    await laptop.commit(notes, { 'a.txt': 'three\n' }, 'unknown host');
    const status = await laptop.statusWhen(({ repos }) => repos.some(({ hubs }) => hubs?.[0]?.state === 'waiting'));
    expect(status.repos[0]?.hubs?.[0]?.words).toMatch(/^hub: its host key is not known, or another than before .*git fetch hub.*compare the key/);
  });
});
