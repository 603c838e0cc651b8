// A machine behind a router that gets another address while it pushes: what went over the old one is lost with every answer to it. Rule: the same git process
// ends well, on from the byte where it stopped, in-band and through the server's proxy.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { startAgentOn } from '../helpers/agent-on.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { makeNatNetwork } from '../helpers/nat-network.ts';
import type { NatNetwork } from '../helpers/nat-network.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';
import { until } from '../helpers/waiting.ts';

const SIZE = 8 * 2 ** 20;

let network: NatNetwork;
let server: Prosody;
let office: Device;
let roaming: Device;
let dir: string;
let work: string;

beforeAll(async () => {
  network = makeNatNetwork([1, 1]);
  server = await startProsody({ address: network.open, accounts: { [ACCOUNT]: PASSWORD } });
  [office, roaming] = [await new Device('office').prepare(), await new Device('roaming').prepare()];
  for (const [device, lan] of [[office, 1], [roaming, 2]] as const) {
    await startAgentOn(device, network.enter(lan, 1));
    // Slow enough to be met in the middle.
    await device.git(device.dir, 'config', '--global', 'xmpp.limit.up', '1m');
    await device.login(server, ACCOUNT, PASSWORD);
  }
  const { typed } = await pairDevices(office, roaming);
  expect(typed, typed.stderr).toMatchObject({ code: 0 });
  dir = await office.repo('notes');
  await office.xmppIn(dir, 'share', '--write');
  work = roaming.path('work');
  await roaming.git(roaming.dir, 'clone', '--quiet', 'xmpp::office/notes', work);
});

afterAll(async () => {
  for (const device of [roaming, office]) await device?.remove();
  await server?.stop();
  network?.stop();
});

/** Bytes that the roaming machine's links sent so far, and how many of them twice. */
async function sent(): Promise<{ readonly once: number; readonly again: number }> {
  const links = (await roaming.status()).peers.flatMap((peer) => peer.links);
  return { once: links.reduce((sum, link) => sum + link.sent, 0), again: links.reduce((sum, link) => sum + link.again, 0) };
}

describe.each([['socks5', true], ['in-band', false]] as const)('a push by %s', (kind, hasProxy) => {
  it('goes on at its byte when its machine has another address', async () => {
    await server.restart({ hasProxy });
    await roaming.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true);
    await writeFile(path.join(work, 'large.bin'), randomBytes(SIZE));
    const tip = await roaming.commit(work, {}, `over ${kind}`);
    const [before, since] = [await sent(), Date.now()];
    const git = roaming.start('git', ['push', 'origin', `HEAD:refs/heads/${kind}`], { cwd: work });
    await until(async () => (await sent()).once - before.once > SIZE / 2);
    expect(git.child.exitCode).toBeNull();
    network.readdress(2, 1);
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await office.git(dir, 'rev-parse', kind)).toBe(tip);
    const after = await sent();
    expect(after.once + after.again - before.once - before.again).toBeLessThan(1.6 * SIZE);
    const types: string[] = [];
    for await (const event of roaming.client.lines('GET', '/events')) if ((event as AgentEvent).at >= since) types.push((event as AgentEvent).type);
    for (const type of ['network', 'resumed']) expect(types).toContain(type);
  });
});
