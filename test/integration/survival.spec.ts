// What breaks under a transfer: the TCP connection, the server, either agent (docs/PROTOCOL.md: a push in flight goes on at the byte where
// it stopped). Rule: the same git process ends well, or it ends in words, both sides are clean and the next try succeeds.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { Device, Ongoing } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const CUTS = 5;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let big: string;
let number = 0;

beforeAll(async () => {
  setting = await startTwoDevices({ hasSmResume: false });
  ({ laptop, desktop } = setting);
  big = await makeBigRepo(laptop, 'big');
  expect(await laptop.xmppIn(big, 'share')).toMatchObject({ code: 0 });
});

afterAll(() => setting?.stop());

beforeEach(async () => {
  await Promise.all([laptop, desktop].map((device) => device.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true)));
});

const carried = (): number => setting.proxy.bytes.up + setting.proxy.bytes.down;

/** Starts a clone into a new folder. */
function startClone(): { readonly dir: string; readonly git: Ongoing } {
  const dir = desktop.path(`clone-${(number += 1)}`);
  return { dir, git: desktop.start('git', ['clone', '--progress', 'xmpp::laptop/big', dir]) };
}

async function expectWhole(dir: string): Promise<void> {
  const [ours, theirs] = await Promise.all([contentsOf(laptop, big), contentsOf(desktop, dir, 'refs/remotes/origin')]);
  expect(theirs).toEqual(ours);
  await desktop.git(dir, 'fsck', '--full', '--strict');
}

describe('a clone', () => {
  it('outlives a restart of the server', async () => {
    const { proxy, server } = setting;
    const { dir, git } = startClone();
    await proxy.reached('down', proxy.bytes.down + 4 * 2 ** 20);
    await server.restart();
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    await expectWhole(dir);
  });

  it('outlives five cuts of its TCP connection, in the same process, and pays little for them', async () => {
    const { proxy } = setting;
    const before = carried();
    const uncut = startClone();
    expect(await uncut.git.ended).toMatchObject({ code: 0 });
    const whole = carried() - before;
    expect(whole).toBeGreaterThan(10 * 2 ** 20);

    const start = proxy.bytes.down;
    const from = carried();
    const { dir, git } = startClone();
    for (let cut = 1; cut <= CUTS; cut += 1) {
      await proxy.reached('down', start + (cut * whole) / (CUTS + 1));
      expect(git.child.exitCode).toBeNull();
      expect(proxy.cut()).toBe(1);
    }
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(carried() - from).toBeLessThan(1.2 * whole);
    const resumed: number[] = [];
    for await (const event of desktop.client.lines('GET', '/events')) {
      const { type, bytes } = event as { type: string; bytes?: number };
      if (type === 'resumed' && bytes !== undefined) resumed.push(bytes);
    }
    expect(resumed.length).toBeGreaterThanOrEqual(CUTS);
    expect(resumed.at(-1)).toBeGreaterThan(whole / 2);
    await expectWhole(dir);
  });

  it.each(['desktop', 'laptop'] as const)('fails in words when the agent of the %s is killed, leaves nothing, and the next one succeeds', async (name) => {
    const { proxy } = setting;
    const { dir, git } = startClone();
    await proxy.reached('down', proxy.bytes.down + 4 * 2 ** 20);
    await setting[name].kill();
    await setting[name].xmpp('daemon', 'start');
    const end = await git.ended;
    expect(end.code).toBe(128);
    expect(end.stderr).toMatch(name === 'desktop' ? /the agent closed the stream before git was done/ : /laptop: the link to the other device was lost|laptop: the other device knows this link no more/);
    expect(existsSync(dir)).toBe(false);
    await expectNothingRuns();
    const again = startClone();
    const next = await again.git.ended;
    expect(next, next.stderr).toMatchObject({ code: 0 });
    await expectWhole(again.dir);
  });
});

describe('a push', () => {
  let work: string;

  beforeAll(async () => {
    work = desktop.path('work');
    await desktop.git(desktop.dir, 'clone', '--quiet', '--depth', '1', 'xmpp::laptop/big', work);
    await writeFile(path.join(work, 'large.bin'), randomBytes(8 * 2 ** 20));
    await desktop.commit(work, {}, 'large');
  });

  it('outlives a cut of its TCP connection', async () => {
    const { proxy } = setting;
    const git = desktop.start('git', ['push', 'origin', 'HEAD:refs/heads/through-a-cut'], { cwd: work });
    await proxy.reached('up', proxy.bytes.up + 4 * 2 ** 20);
    expect(proxy.cut()).toBe(1);
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await laptop.git(big, 'rev-parse', 'through-a-cut')).toBe(await desktop.git(work, 'rev-parse', 'HEAD'));
  });

  it.each(['desktop', 'laptop'] as const)('fails in words when the agent of the %s is killed, leaves nothing, and the next one succeeds', async (name) => {
    const { proxy } = setting;
    const branch = `killed-${name}`;
    await writeFile(path.join(work, 'large.bin'), randomBytes(8 * 2 ** 20));
    const tip = await desktop.commit(work, {}, branch);
    const refs = await laptop.git(big, 'for-each-ref', 'refs/heads');
    const git = desktop.start('git', ['push', 'origin', `HEAD:refs/heads/${branch}`], { cwd: work });
    await proxy.reached('up', proxy.bytes.up + 4 * 2 ** 20);
    await setting[name].kill();
    await setting[name].xmpp('daemon', 'start');
    const end = await git.ended;
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(/git-xmpp: \[agent\] the agent closed the stream|git-xmpp: laptop: the/);
    await expectNothingRuns();
    expect(await laptop.git(big, 'for-each-ref', 'refs/heads')).toBe(refs);
    expect(incoming()).toEqual([]);
    await laptop.git(big, 'fsck', '--full');
    const next = await desktop.run('git', ['push', 'origin', `HEAD:refs/heads/${branch}`], { cwd: work });
    expect(next, next.stderr).toMatchObject({ code: 0 });
    expect(await laptop.git(big, 'rev-parse', branch)).toBe(tip);
    expect(incoming()).toEqual([]);
  });
});

describe('a commit on its way', () => {
  let notes: string;
  let copy: string;

  beforeAll(async () => {
    notes = await laptop.repo('notes');
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/notes');
    copy = desktop.path('notes');
  });

  const commitMuch = async (message: string): Promise<string> => {
    await writeFile(path.join(notes, 'large.bin'), randomBytes(6 * 2 ** 20));
    const { proxy } = setting;
    const halfWay = proxy.bytes.down + 3 * 2 ** 20;
    const tip = await laptop.commit(notes, {}, message);
    await proxy.reached('down', halfWay);
    return tip;
  };

  it('arrives through a cut of the TCP connection', async () => {
    const tip = await commitMuch('through a cut');
    expect(setting.proxy.cut()).toBe(1);
    await desktop.head(copy, tip);
  });

  it.each(['desktop', 'laptop'] as const)('arrives after the agent of the %s was killed in the middle of it', async (name) => {
    const tip = await commitMuch(`${name} killed`);
    await setting[name].kill();
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).not.toBe(tip);
    await setting[name].xmpp('daemon', 'start');
    await desktop.head(copy, tip);
    for (const device of [laptop, desktop]) {
      await device.statusWhen(({ repos }) => repos.find((repo) => repo.name === 'notes')?.peers[0]?.state === 'in sync');
    }
    await laptop.head(notes, await desktop.commit(copy, { 'back.txt': `${name}\n` }, 'and back'));
    for (const [device, dir] of [[laptop, notes], [desktop, copy]] as const) await device.git(dir, 'fsck', '--full', '--strict');
    expect(readdirSync(path.join(copy, '.git/objects')).filter((entry) => entry.startsWith('tmp_objdir'))).toEqual([]);
  });
});

/** What a killed receive-pack leaves. */
function incoming(): string[] {
  return readdirSync(path.join(big, '.git/objects')).filter((name) => name.startsWith('tmp_objdir'));
}

/** Waits until no git process works on the shared repository any more. */
async function expectNothingRuns(): Promise<void> {
  await laptop.statusWhen(() => gitProcesses().length === 0).catch((error: unknown) => {
    throw new Error(`still there: ${gitProcesses().join('; ')}`, { cause: error });
  });
}

function gitProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readCommand)
    .filter((command) => /\bgit\b.*(upload-pack|receive-pack|index-pack|unpack-objects|pack-objects)/.test(command) && command.includes(big));
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
