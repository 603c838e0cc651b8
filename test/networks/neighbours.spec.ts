// Two machines on one network that push to each other directly: over a way that is found while the push runs, and one that is gone in its middle. Rule: the same git
// process ends well, and nothing is sent from its beginning again.

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
let bench: Device;
let dir: string;
let work: string;

beforeAll(async () => {
  network = makeNatNetwork([2]);
  server = await startProsody({ address: network.open, accounts: { [ACCOUNT]: PASSWORD }, hasProxy: false });
  [office, bench] = [await new Device('office').prepare(), await new Device('bench').prepare()];
  for (const [device, number] of [[office, 1], [bench, 2]] as const) {
    await startAgentOn(device, network.enter(1, number));
    // Slow enough to be met in the middle.
    await device.git(device.dir, 'config', '--global', 'xmpp.limit.up', '1m');
    await device.login(server, ACCOUNT, PASSWORD);
  }
  const { typed } = await pairDevices(office, bench);
  expect(typed, typed.stderr).toMatchObject({ code: 0 });
  dir = await office.repo('notes');
  await office.xmppIn(dir, 'share', '--write');
  work = bench.path('work');
  await bench.git(bench.dir, 'clone', '--quiet', 'xmpp::office/notes', work);
});

afterAll(async () => {
  for (const device of [bench, office]) await device?.remove();
  await server?.stop();
  network?.stop();
});

/** Bytes that the links of the machine that pushes sent so far, those that were sent twice among them. */
async function sent(): Promise<number> {
  const links = (await bench.status()).peers.flatMap((peer) => peer.links);
  return links.reduce((sum, link) => sum + link.sent + link.again, 0);
}

/** What is done right before a push, and once half of it has gone. */
interface Around {
  readonly before?: () => Promise<void>;
  readonly meanwhile?: () => void;
}

/** Pushes something large to a branch. @returns the changes of carriers that the pushing machine told meanwhile */
async function pushWhile(branch: string, around: Around): Promise<readonly string[]> {
  await writeFile(path.join(work, 'large.bin'), randomBytes(SIZE));
  const tip = await bench.commit(work, {}, `for ${branch}`);
  await around.before?.();
  const [before, since] = [await sent(), Date.now()];
  const git = bench.start('git', ['push', 'origin', `HEAD:refs/heads/${branch}`], { cwd: work });
  await until(async () => (await sent()) - before > SIZE / 2);
  expect(git.child.exitCode).toBeNull();
  around.meanwhile?.();
  const end = await git.ended;
  expect(end, end.stderr).toMatchObject({ code: 0 });
  expect(await office.git(dir, 'rev-parse', branch)).toBe(tip);
  expect((await sent()) - before).toBeLessThan(1.6 * SIZE);
  const words: string[] = [];
  for await (const event of bench.client.lines('GET', '/events')) {
    const { at, type, words: said } = event as AgentEvent;
    if (at >= since && type === 'carrier') words.push(said);
  }
  return words;
}

describe('a push between two machines on one network', () => {
  it('begins through the server, and moves to a connection of its own while it runs', async () => {
    // An agent that has just begun has no link yet: the push is what first goes over it.
    const before = async (): Promise<void> => {
      await bench.xmpp('daemon', 'stop');
      await startAgentOn(bench, network.enter(1, 2));
    };
    expect(await pushWhile('up', { before })).toContainEqual(expect.stringMatching(/^direct \(within the local network\) instead of in-band: a better way was found$/));
  });

  it('goes on through the server at its byte when the two reach each other no longer', async () => {
    await bench.statusWhen(({ peers }) => peers[0]?.links.every(({ kind }) => kind === 'direct') === true);
    expect(await pushWhile('down', { meanwhile: () => network.isolate(1, true) })).toContainEqual(expect.stringMatching(/^in-band \(through the server\) instead of direct: ./));
  });
});
