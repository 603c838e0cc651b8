// One account at two nodes of one server, a device at each: what is said on one node arrives on the other, and a node that ends takes nobody with it.
// Rule: a real ejabberd of two nodes, each device behind what balances connections in front of them, as operators have it.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { startCluster } from '../helpers/ejabberd-cluster.ts';
import type { Cluster } from '../helpers/ejabberd-cluster.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';

const PATIENCE_MS = 120_000;

let cluster: Cluster;
const balancers: Balancer[] = [];
const devices: Device[] = [];
let laptop: Device;
let desktop: Device;
let notes: string;
let copy: string;

/** A device whose connections go to one node while that runs. */
async function deviceAt(name: string, node: number): Promise<Device> {
  const preferred = cluster.nodes[node];
  const server = cluster.nodes[0];
  if (preferred === undefined || server === undefined) throw new Error('there is no such node');
  const balancer = await startBalancer([preferred, ...cluster.nodes.filter((each) => each !== preferred)]);
  balancers.push(balancer);
  const device = await new Device(name).prepare();
  devices.push(device);
  await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
  await device.login({ ...server, restart: () => Promise.reject(new Error('not here')) }, ACCOUNT, PASSWORD, balancer);
  return device;
}

beforeAll(async () => {
  cluster = await startCluster({ accounts: { [ACCOUNT]: PASSWORD } });
  [laptop, desktop] = [await deviceAt('laptop', 0), await deviceAt('desktop', 1)];
  expect((await pairDevices(laptop, desktop)).typed).toMatchObject({ code: 0 });
  notes = await laptop.repo('notes');
  expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
  await desktop.xmpp('clone', 'laptop/notes');
  copy = desktop.path('notes');
});

afterAll(async () => {
  for (const device of devices) await device.remove();
  for (const balancer of balancers) await balancer.stop();
  await cluster?.stop();
});

describe('two devices at two nodes of one server', () => {
  it('have each its own node', async () => {
    const [first, second] = cluster.nodes.map((node) => node.output());
    expect(first).toMatch(/Opened c2s session for .*git-xmpp-/);
    expect(second).toMatch(/Opened c2s session for .*git-xmpp-/);
  });

  it('carry commits both ways through both nodes', async () => {
    const there = await laptop.commit(notes, { 'a.txt': 'one\n' }, 'one');
    await desktop.head(copy, there);
    const back = await desktop.commit(copy, { 'b.txt': 'two\n' }, 'two');
    await laptop.head(notes, back);
    // From one node the proxy of another cannot be asked who it is, so nobody connects there.
    expect((await desktop.status()).peers[0]?.carrier?.kind).toBe('in-band');
  });

  it('move what is large', async () => {
    await writeFile(path.join(notes, 'large.bin'), randomBytes(5_000_000));
    const oid = await laptop.commit(notes, {}, 'large');
    await desktop.head(copy, oid, PATIENCE_MS);
  });

  it('go on through the node that is left when the node of one of them ends', async () => {
    const before = await address(desktop);
    const lost = desktop.event(({ type }) => type === 'not-online', PATIENCE_MS);
    await cluster.nodes[1]?.stop();
    await lost;
    await desktop.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true, PATIENCE_MS);
    const oid = await laptop.commit(notes, { 'c.txt': 'three\n' }, 'three');
    await desktop.head(copy, oid, PATIENCE_MS);
    const back = await desktop.commit(copy, { 'd.txt': 'four\n' }, 'four');
    await laptop.head(notes, back, PATIENCE_MS);
    expect(await address(desktop)).toBe(before);
  });
});

async function address(device: Device): Promise<string | undefined> {
  return (await device.status()).account.address;
}
