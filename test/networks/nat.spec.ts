// Machines that have nothing but an XMPP server in common, as machines at two homes have. Rule: what the README says of carriers holds here, with real
// routers that translate addresses, and a server in the open.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAgentOn } from '../helpers/agent-on.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { makeNatNetwork } from '../helpers/nat-network.ts';
import type { NatNetwork } from '../helpers/nat-network.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';

const PATIENCE_MS = 90_000;

let network: NatNetwork;
let server: Prosody;
const devices: Device[] = [];

/** A device whose agent lives on that machine; commands reach it through its socket. */
async function deviceAt(name: string, lan: number, number: number): Promise<Device> {
  const device = await new Device(name).prepare();
  devices.push(device);
  await startAgentOn(device, network.enter(lan, number));
  await device.login(server, ACCOUNT, PASSWORD);
  return device;
}

const carrierOf = async (device: Device, peer: string): Promise<string | undefined> => {
  const { peers } = await device.status();
  return peers.find(({ name }) => name === peer)?.carrier?.kind;
};

/** Waits until the link to `peer` runs over `kind`. */
const carriedBy = (device: Device, peer: string, kind: string): Promise<unknown> =>
  device.statusWhen(({ peers }) => peers.some(({ name, carrier }) => name === peer && carrier?.kind === kind), PATIENCE_MS);

let office: Device;
let home: Device;
let notes: string;
let copy: string;

beforeAll(async () => {
  network = makeNatNetwork([2, 1, 1]);
  server = await startProsody({ address: network.open, accounts: { [ACCOUNT]: PASSWORD } });
  office = await deviceAt('office', 1, 1);
  home = await deviceAt('home', 2, 1);
  const { typed } = await pairDevices(office, home);
  expect(typed, typed.stderr).toMatchObject({ code: 0 });
  notes = await office.repo('notes');
  await office.xmppIn(notes, 'share');
}, PATIENCE_MS);

afterAll(async () => {
  await Promise.all(devices.map((device) => device.remove()));
  await server?.stop();
  network?.stop();
});

/** A person's git on one side, with the other side's repository: clone, push a branch, fetch it. */
async function plainGit(here: Device, there: Device, { repo, name }: { readonly repo: string; readonly name: string }): Promise<void> {
  const dir = here.path(`plain-${name}`);
  await here.git(here.dir, 'clone', '--quiet', `xmpp::${there.name}/notes`, dir);
  const tip = await here.commit(dir, { [`${name}.txt`]: `${name}\n` }, name);
  await here.git(dir, 'push', '--quiet', 'origin', `HEAD:refs/heads/${name}`);
  expect(await there.git(repo, 'rev-parse', name)).toBe(tip);
  await there.git(repo, 'branch', '--quiet', '--force', `${name}-back`, tip);
  await here.git(dir, 'fetch', '--quiet', 'origin');
  expect(await here.git(dir, 'rev-parse', `origin/${name}-back`)).toBe(tip);
}

describe('two machines behind separate routers', () => {
  it.each([[1, 2], [2, 1]])('cannot reach each other (from %i to %i)', async (from, to) => {
    const [command = '', ...first] = network.enter(from, 1);
    const reach = (address: string): Promise<Ended> => home.run(command, [...first, 'timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${server.port}`]);
    expect((await reach(network.addressOf(to, 1))).code).not.toBe(0);
    // The server is what both have.
    expect((await reach(network.open)).code).toBe(0);
  });

  it('clone and sync through the server’s proxy', async () => {
    await home.xmpp('clone', 'office/notes');
    copy = home.path('notes');
    await home.head(copy, await office.commit(notes, { 'a.txt': 'from the office\n' }, 'from the office'));
    await office.head(notes, await home.commit(copy, { 'b.txt': 'from home\n' }, 'from home'));
    await writeFile(path.join(notes, 'large.bin'), randomBytes(2_000_000));
    await home.head(copy, await office.commit(notes, {}, 'large'), PATIENCE_MS);
    await carriedBy(home, 'office', 'socks5');
  });

  it('serve each other’s plain git through it', async () => {
    await plainGit(home, office, { repo: notes, name: 'from-home' });
    await plainGit(office, home, { repo: copy, name: 'from-office' });
    expect(await carrierOf(home, 'office')).toBe('socks5');
  });

  it('do so in-band where the server has no proxy', async () => {
    await server.restart({ hasProxy: false });
    await home.head(copy, await office.commit(notes, { 'c.txt': 'no proxy\n' }, 'no proxy'), PATIENCE_MS);
    await office.head(notes, await home.commit(copy, { 'd.txt': 'none either way\n' }, 'no proxy'), PATIENCE_MS);
    await plainGit(home, office, { repo: notes, name: 'in-band' });
    expect(await carrierOf(home, 'office')).toBe('in-band');
  });

  it('pair, share and clone in-band, too', async () => {
    const far = await deviceAt('far', 3, 1);
    const { typed } = await pairDevices(office, far);
    expect(typed, typed.stderr).toMatchObject({ code: 0 });
    await far.xmpp('clone', 'office/notes');
    await far.head(far.path('notes'), await office.commit(notes, { 'g.txt': 'to the third\n' }, 'to the third'), PATIENCE_MS);
    expect(await carrierOf(far, 'office')).toBe('in-band');
    await server.restart({ hasProxy: true });
  });

  it('keep going where one packet of fifty is lost', async () => {
    network.lose(2, 2);
    await writeFile(path.join(notes, 'lossy.bin'), randomBytes(400_000));
    await home.head(copy, await office.commit(notes, {}, 'through losses'), PATIENCE_MS);
    network.lose(2, 0);
  });

  it('are told apart from a network that swallows everything, and sync as soon as it lets them', async () => {
    network.capture(2, true);
    const tip = await office.commit(notes, { 'e.txt': 'meanwhile\n' }, 'meanwhile');
    await office.statusWhen(({ peers }) => peers.some(({ name, isOnline, carrier }) => name === 'home' && (!isOnline || carrier?.kind === 'none')), PATIENCE_MS);
    network.capture(2, false);
    await home.head(copy, tip, PATIENCE_MS);
  });
});

describe('two machines behind one router', () => {
  it('sync directly', async () => {
    const bench = await deviceAt('bench', 1, 2);
    const { typed } = await pairDevices(office, bench);
    expect(typed, typed.stderr).toMatchObject({ code: 0 });
    await bench.xmpp('clone', 'office/notes');
    await carriedBy(bench, 'office', 'direct');
    await bench.head(bench.path('notes'), await office.commit(notes, { 'f.txt': 'next door\n' }, 'next door'));
  });
});
