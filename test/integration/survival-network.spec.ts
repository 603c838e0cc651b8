// A machine that moves to another network in the middle of a push: its old address is gone, and with it every answer to it.
// Rule: the same git process ends well, on from the byte where it stopped.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { makeMovingNetwork } from '../helpers/netns.ts';
import type { MovingNetwork } from '../helpers/netns.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';

let network: MovingNetwork;
let server: Prosody;
let proxy: TcpProxy;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  network = makeMovingNetwork();
  server = await startProsody({ accounts: { [ACCOUNT]: PASSWORD }, hasSmResume: false });
  proxy = await startTcpProxy({ host: server.host, port: server.port }, { host: network.host, port: 0 });
  [laptop, desktop] = [await new Device('laptop').prepare(), await new Device('desktop').prepare()];
  // Only the agent has to live there: everybody else reaches it through its socket.
  const [command = '', ...first] = network.enter;
  expect(await desktop.run(command, [...first, 'git-xmpp', 'daemon', 'start'])).toMatchObject({ code: 0 });
  await laptop.login(server, ACCOUNT, PASSWORD);
  await desktop.login(server, ACCOUNT, PASSWORD, proxy);
  await pairDevices(laptop, desktop);
});

afterAll(async () => {
  for (const device of [desktop, laptop]) await device?.remove();
  await proxy?.stop();
  await server?.stop();
  network?.stop();
});

describe('a push', () => {
  it('goes on at its byte after its machine has moved to another network', async () => {
    const dir = await laptop.repo('notes');
    await laptop.xmpp('share', dir);
    const work = desktop.path('work');
    await desktop.git(desktop.dir, 'clone', '--quiet', 'xmpp::laptop/notes', work);
    await writeFile(path.join(work, 'large.bin'), randomBytes(8 * 2 ** 20));
    const tip = await desktop.commit(work, {}, 'large');
    const since = Date.now();
    const git = desktop.start('git', ['push', 'origin', 'HEAD:refs/heads/moved'], { cwd: work });
    await proxy.reached('up', proxy.bytes.up + 4 * 2 ** 20);
    expect(git.child.exitCode).toBeNull();
    network.move();
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await laptop.git(dir, 'rev-parse', 'moved')).toBe(tip);
    const events: string[] = [];
    for await (const event of desktop.client.lines('GET', '/events')) {
      const { type, at } = event as AgentEvent;
      if (at >= since && ['network', 'not-online', 'online', 'resumed'].includes(type)) events.push(type);
    }
    expect(events).toEqual(['network', 'not-online', 'online', 'resumed']);
  });
});

describe('an agent whose network is gone', () => {
  it('says so itself, instead of what failed by it, and signs in at once when the network is back', async () => {
    await desktop.statusWhen(({ account }) => account.state === 'online');
    const since = Date.now();
    network.lose();
    const { account } = await desktop.statusWhen((status) => status.account.state === 'offline');
    expect(account.fault).toMatchObject({ code: 'no-network', message: 'this machine has no network' });
    const refused = await desktop.xmppIn(desktop.dir, 'sync');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('this machine has no network')]);
    network.restore();
    // A try of its own may be quicker than the look at the network.
    for (const expected of ['online', 'network']) await desktop.event(({ type, at }) => type === expected && at >= since);
    const events: string[] = [];
    for await (const event of desktop.client.lines('GET', '/events')) {
      const { type, at, code } = event as AgentEvent;
      if (at >= since && ['lostnet', 'network', 'not-online', 'online'].includes(type)) events.push(code === undefined ? type : `${type}: ${code}`);
    }
    expect([events[0], new Set(events.slice(1, -2)), new Set(events.slice(-2))]).toEqual(['lostnet', new Set(['not-online: no-network']), new Set(['network', 'online'])]);
  });
});
