// A network that lets nobody through: one that swallows everything, and one whose own page answers every connection and every name. Rule: status and doctor say
// what is wrong, of the machine's network and not of the other device, and the agent is back by itself when the network is free.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startAgentOn } from '../helpers/agent-on.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { examine } from '../helpers/examine.ts';
import { makeNatNetwork } from '../helpers/nat-network.ts';
import type { NatNetwork, Portal } from '../helpers/nat-network.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';

const PATIENCE_MS = 150_000;
/** A name that only the routers know. */
const HOST = 'xmpp.example.org';

let network: NatNetwork;
let server: Prosody;
let portal: Portal;
let outside: Device;
let guest: Device;
let notes: string;
let copy: string;
/** Where `ip netns exec` looks for the name servers of a namespace (ip-netns(8)). */
let etc: string;

beforeAll(async () => {
  network = makeNatNetwork([1]);
  server = await startProsody({ address: network.open, accounts: { [ACCOUNT]: PASSWORD } });
  portal = await network.portal(1, network.open);
  etc = path.join('/etc/netns', network.enter(1, 1).at(-1) ?? '');
  mkdirSync(etc, { recursive: true });
  writeFileSync(path.join(etc, 'resolv.conf'), 'nameserver 10.77.1.1\noptions timeout:2 attempts:2\n');
  [outside, guest] = [await new Device('outside').prepare(), await new Device('guest').prepare()];
  await startAgentOn(guest, network.enter(1, 1));
  await outside.login(server, ACCOUNT, PASSWORD);
  await guest.login(server, ACCOUNT, PASSWORD, { host: HOST, port: server.port });
  const { typed } = await pairDevices(outside, guest);
  expect(typed, typed.stderr).toMatchObject({ code: 0 });
  notes = await outside.repo('notes');
  await outside.xmppIn(notes, 'share');
  await guest.xmpp('clone', 'outside/notes');
  copy = guest.path('notes');
});

afterAll(async () => {
  for (const device of [outside, guest]) await device?.remove();
  portal?.stop();
  await server?.stop();
  network?.stop();
  rmSync(etc, { recursive: true, force: true });
});

afterEach(() => {
  network.capture(1, false);
  portal.capture(false);
});

/** The network is free: what was committed outside meanwhile comes by itself, and what is committed here goes. */
async function isBack(tip: string, name: string): Promise<void> {
  await guest.head(copy, tip, PATIENCE_MS);
  expect((await examine(guest, network.enter(1, 1))).broken).toEqual([]);
  await outside.head(notes, await guest.commit(copy, { 'guest.txt': `${name}\n` }, name), PATIENCE_MS);
}

const commitOutside = (name: string): Promise<string> => outside.commit(notes, { [`${name}.txt`]: 'outside\n' }, name);

describe('a network that swallows everything', () => {
  it('is told as a server that does not answer, on both sides as a device that is gone, and left behind by itself', async () => {
    network.capture(1, true);
    const tip = await commitOutside('silent');
    const { account } = await guest.statusWhen(({ account: { state } }) => state === 'offline', PATIENCE_MS);
    expect(account.fault?.code).toBe('timeout');
    const { stdout } = await guest.xmpp('status');
    expect(stdout).toMatch(/offline: .*(?:fallen silent|does not answer|did not let)[^]*check the network/);
    const { peers } = await outside.statusWhen((status) => status.peers[0]?.isOnline === false, PATIENCE_MS);
    expect(peers[0]?.isOnline).toBe(false);
    const found = await examine(guest, network.enter(1, 1));
    expect([found.broken, found.of('tcp')?.words]).toEqual([['tcp'], expect.stringContaining('does not answer')]);
    network.capture(1, false);
    await isBack(tip, 'silent');
  });
});

describe('a network whose own page answers everything', () => {
  it('is told as that, by status and by the doctor, and left behind by itself', async () => {
    portal.capture(true);
    const tip = await commitOutside('portal');
    await guest.statusWhen(({ account: { state, fault } }) => state === 'offline' && fault !== undefined && fault.code !== 'timeout', PATIENCE_MS);
    const { stdout } = await guest.xmpp('status');
    const found = await examine(guest, network.enter(1, 1));
    expect(stdout).toMatch(/offline: what answers for localhost is no XMPP server: it says "HTTP\/1\.1 302 Found"[^]*sign in on a web page/);
    expect([found.broken, found.of('tls')?.words]).toEqual([['tls'], expect.stringContaining('no XMPP server: it says "HTTP/1.1 302 Found"')]);
    portal.capture(false);
    await isBack(tip, 'portal');
  });
});
