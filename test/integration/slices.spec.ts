// Large first transfers that outlive a crash of either agent (docs/PROTOCOL.md, "Slices"): what has come is kept, nothing is sent twice but
// the slice that was cut. Rule: judged by bytes on the wire and refs, never by seconds.

import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { Device, Ended } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const MEGABYTES = 12;
/** A byte of a pack in-band: base64, the stanza around each block, TLS. */
const IN_BAND = 1.4;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let big: string;
let packed: number;

beforeAll(async () => {
  setting = await startTwoDevices({ hasSmResume: false });
  ({ laptop, desktop } = setting);
  big = await makeBigRepo(laptop, 'big', MEGABYTES);
  expect(await laptop.xmppIn(big, 'share')).toMatchObject({ code: 0 });
  packed = Number(await laptop.git(big, 'rev-list', '--objects', '--disk-usage', '--all'));
});

afterAll(() => setting?.stop());

beforeEach(async () => {
  await Promise.all([laptop, desktop].map((device) => device.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true)));
});

const carried = (): number => setting.proxy.bytes.up + setting.proxy.bytes.down;

/** Lets so many bytes go by, or the command end. */
async function pass(bytes: number, running: Promise<Ended>): Promise<void> {
  const { proxy } = setting;
  await Promise.race([proxy.reached('down', proxy.bytes.down + bytes), running]);
}

async function restart(device: Device): Promise<void> {
  await device.kill();
  await device.xmpp('daemon', 'start');
}

/** Slices that are kept at the desktop. */
const kept = (dir: string): Promise<string> => desktop.git(dir, 'for-each-ref', '--format=%(objectname)', 'refs/xmpp/partial');

async function describeClone(dir: string): Promise<unknown> {
  const refs = await desktop.git(dir, 'for-each-ref', '--format=%(refname) %(objectname) %(symref)', 'refs/heads', 'refs/remotes', 'refs/tags');
  const config = (await desktop.git(dir, 'config', '--local', '--list')).split('\n').sort();
  const head = await desktop.run('git', ['symbolic-ref', 'HEAD'], { cwd: dir });
  const at = await desktop.run('git', ['rev-parse', 'HEAD'], { cwd: dir });
  return { refs, config: config.filter((line) => !line.startsWith('xmpp.')), head: head.stdout, at: at.stdout, status: await desktop.git(dir, 'status', '--porcelain') };
}

describe('git xmpp clone', () => {
  it('makes what git clone makes', async () => {
    const end = await desktop.run('git-xmpp', ['clone', 'laptop/big', 'sliced']);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    await desktop.git(desktop.dir, 'clone', '--quiet', 'xmpp::laptop/big', 'plain');
    expect(await describeClone(desktop.path('sliced'))).toEqual(await describeClone(desktop.path('plain')));
    expect(await kept(desktop.path('sliced'))).toBe('');
    await desktop.xmpp('unshare', desktop.path('sliced'));
  });

  it('outlives the death of either agent, again and again, and pays for the cut slices alone', async () => {
    const before = carried();
    const dir = desktop.path('killed');
    const running = desktop.start('git-xmpp', ['clone', 'laptop/big', 'killed']);
    const seen = new Set<string>();
    for (const device of [desktop, laptop, desktop, laptop]) {
      await pass((packed * IN_BAND) / 6, running.ended);
      expect(running.child.exitCode).toBeNull();
      await restart(device);
      for (const oid of (await kept(dir)).split('\n')) seen.add(oid);
    }
    const end = await running.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(seen.size).toBeGreaterThan(2);
    expect(carried() - before).toBeLessThan(1.6 * packed * IN_BAND);
    const [ours, theirs] = await Promise.all([contentsOf(laptop, big), contentsOf(desktop, dir, 'refs/remotes/origin')]);
    expect(theirs).toEqual(ours);
    await desktop.git(dir, 'fsck', '--full', '--strict');
    expect(await kept(dir)).toBe('');
    expect(readdirSync(path.join(dir, '.git/objects')).filter((name) => name.startsWith('tmp_objdir'))).toEqual([]);
    await desktop.xmpp('unshare', dir);
  });
});
