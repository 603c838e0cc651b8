// Two machines with half the world between them: 300 ms there and back, and two of a hundred segments lost. Rule: the main job ends right in-band and over a
// proxied connection, and nobody is called offline that is only far away. What came through in a second is printed, for docs/PERFORMANCE.md.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { startAgentOn } from '../helpers/agent-on.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { startFarPath } from '../helpers/far-path.ts';
import type { FarPath } from '../helpers/far-path.ts';
import { hasNetem, makeNatNetwork } from '../helpers/nat-network.ts';
import { startProsody } from '../helpers/prosody.ts';
import { ACCOUNT, PASSWORD } from '../helpers/two-devices.ts';
import { randomOf } from '../soak/faults.ts';

interface Setting {
  readonly devices: readonly Device[];
  /** What is to be ended, last first. */
  readonly started: (() => unknown)[];
}

const FAR = { delayMs: 150, lossPercent: 2 };
const PROXY_ADDRESS = '127.0.0.3';
const PATIENCE_MS = 120_000;
type Kind = 'in-band' | 'socks5';

async function signInByProxy(kind: Kind, { devices, started }: Setting): Promise<void> {
  const server = await startProsody({ accounts: { [ACCOUNT]: PASSWORD }, hasProxy: kind === 'socks5', proxyAddress: PROXY_ADDRESS });
  started.push(() => server.stop());
  const random = randomOf(7);
  const far = async (port: number, at?: { readonly host: string; readonly port: number }): Promise<FarPath> => {
    const path = await startFarPath({ ...FAR, random, target: { host: server.host, port }, ...(at === undefined ? {} : { at }) });
    started.push(() => path.stop());
    return path;
  };
  if (kind === 'socks5') await far(server.proxyPort, { host: PROXY_ADDRESS, port: server.proxyPort });
  for (const device of devices) await device.login(server, ACCOUNT, PASSWORD, await far(server.port));
}

/** Each machine behind a router of its own, which is far from the server. */
async function signInByNetem(kind: Kind, { devices, started }: Setting): Promise<void> {
  const network = makeNatNetwork([1, 1]);
  started.push(() => network.stop());
  const server = await startProsody({ address: network.open, accounts: { [ACCOUNT]: PASSWORD }, hasProxy: kind === 'socks5' });
  started.push(() => server.stop());
  for (const [index, device] of devices.entries()) {
    network.stretch(index + 1, FAR);
    await startAgentOn(device, network.enter(index + 1, 1));
    await device.login(server, ACCOUNT, PASSWORD);
  }
}

/** By netem of the kernel where there is one; by a proxy that does what TCP makes of such a path anyway. */
const WAYS = (['in-band', 'socks5'] as const).flatMap((kind) => (hasNetem() ? ['proxy', 'netem'] : ['proxy']).map((by) => [kind, by] as const));

describe.each(WAYS)('far away: %s (by %s)', (kind, by) => {
  const size = kind === 'in-band' ? 1_000_000 : 4_000_000;
  const started: (() => unknown)[] = [];
  let laptop: Device;
  let desktop: Device;
  let notes: string;
  let copy: string;

  beforeAll(async () => {
    [laptop, desktop] = [await new Device('laptop').prepare(), await new Device('desktop').prepare()];
    for (const device of [laptop, desktop]) await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    await (by === 'netem' ? signInByNetem : signInByProxy)(kind, { devices: [laptop, desktop], started });
  });

  afterAll(async () => {
    for (const device of [laptop, desktop]) await device?.remove();
    for (const end of started.reverse()) await end();
  });

  it('devices pair, share, clone and keep each other in sync', async () => {
    const { typed } = await pairDevices(laptop, desktop);
    expect(typed, typed.stderr).toMatchObject({ code: 0 });
    notes = await laptop.repo('notes');
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/notes');
    copy = desktop.path('notes');
    await desktop.head(copy, await laptop.commit(notes, { 'a.txt': 'from the laptop\n' }, 'there'), PATIENCE_MS);
    await laptop.head(notes, await desktop.commit(copy, { 'b.txt': 'from the desktop\n' }, 'and back'), PATIENCE_MS);
  });

  it('plain git clones, fetches and pushes, and what is large arrives', async () => {
    await writeFile(path.join(notes, 'large.bin'), randomBytes(size));
    const tip = await laptop.commit(notes, {}, 'large');
    const start = performance.now();
    await desktop.head(copy, tip, PATIENCE_MS);
    console.log(`${kind} (${by}): ${(size / (performance.now() - start)).toFixed(0)} kB a second for a commit of ${size / 1e6} MB`);
    await desktop.git(desktop.dir, 'clone', '--quiet', 'xmpp::laptop/notes', desktop.path('plain'));
    const mine = await desktop.commit(desktop.path('plain'), { 'c.txt': 'pushed\n' }, 'pushed');
    await desktop.git(desktop.path('plain'), 'push', '--quiet', 'origin', 'HEAD:refs/heads/pushed');
    expect(await laptop.git(notes, 'rev-parse', 'pushed')).toBe(mine);
    await desktop.git(desktop.path('plain'), 'fetch', '--quiet', 'origin');
    const { peers } = await desktop.status();
    expect(peers[0]?.carrier?.kind).toBe(kind);
  });

  it('nothing was called wrong meanwhile', async () => {
    for (const device of [laptop, desktop]) {
      const told: string[] = [];
      for await (const event of device.client.lines('GET', '/events')) {
        const { type, words } = event as AgentEvent;
        if (/^(?:not-online|offline|disconnected|lostnet|offer-failed|look-failed|contact-failed|resumed)$/.test(type)) told.push(`${type}: ${words}`);
      }
      expect(told, device.name).toEqual([]);
      const status = (await device.xmpp('status')).stdout;
      expect(status).not.toMatch(/offline|failed|cannot|waits/);
    }
  });
});
