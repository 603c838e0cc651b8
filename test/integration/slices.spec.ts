// Large first transfers that outlive a crash of either agent (docs/PROTOCOL.md, "Slices"): what has come is kept, nothing is sent twice but
// the slice that was cut. Rule: judged by bytes on the wire and refs, never by seconds.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { Device, Ended } from '../helpers/device.ts';
import { until } from '../helpers/waiting.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const MEGABYTES = 12;
/** A byte of a pack in-band: base64, the stanza around each block, TLS. */
const IN_BAND = 1.4;
/** So many bytes after a slice was kept, the next one is under way. */
const IN_SLICE = 300_000;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let big: string;
let packed: number;
let number = 0;

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

/** Waits until slices are kept that were not before. */
async function nextSlice(dir: string, seen: ReadonlySet<string>): Promise<string> {
  let now = '';
  await until(async () => {
    // The folder may still be in the making.
    now = existsSync(dir) ? await kept(dir).catch(() => '') : '';
    return now !== '' && !seen.has(now);
  });
  return now;
}

/** Whether a map that is held there says that a branch is at `oid`. */
async function isHeard(device: Device, dir: string, oid: string): Promise<boolean> {
  return (await device.git(dir, 'for-each-ref', '--points-at', oid, 'refs/xmpp')) !== '';
}

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

  it.each<[string, (dir: string) => Promise<unknown>, ...string[]]>([
    ['where HEAD is detached at a branch', (dir) => laptop.git(dir, 'switch', '--quiet', '--detach', 'main')],
    ['where HEAD is detached at what no branch leads to', (dir) => laptop.git(dir, 'switch', '--quiet', '--detach', 'side~1').then(() => laptop.commit(dir, { alone: 'x' }, 'alone'))],
    ['where only some branches are shown', () => Promise.resolve(), '--branches', 'ma*'],
    ['where HEAD is another branch than the usual', (dir) => laptop.git(dir, 'switch', '--quiet', '--create', 'topic/"x"')],
  ])('makes what git clone makes %s', async (_name, change, ...options) => {
    const name = `odd-${(number += 1)}`;
    const dir = await makeBigRepo(laptop, name, 1.1);
    await change(dir);
    expect(await laptop.xmppIn(dir, 'share', '--new', ...options)).toMatchObject({ code: 0 });
    const end = await desktop.run('git-xmpp', ['clone', `laptop/${name}`]);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(end.stderr).toContain(`cloned laptop/${name}`);
    await desktop.git(desktop.dir, 'clone', '--quiet', `xmpp::laptop/${name}`, 'plainly');
    expect(await describeClone(desktop.path(name))).toEqual(await describeClone(desktop.path('plainly')));
    await rm(desktop.path('plainly'), { recursive: true });
  });

  it('outlives the death of either agent, again and again, and pays for the cut slices alone', async () => {
    const before = carried();
    const dir = desktop.path('killed');
    const running = desktop.start('git-xmpp', ['clone', 'laptop/big', 'killed']);
    const seen = new Set<string>();
    for (const device of [desktop, laptop, desktop, laptop]) {
      seen.add(await nextSlice(dir, seen));
      await pass(IN_SLICE, running.ended);
      expect(running.child.exitCode).toBeNull();
      await restart(device);
    }
    const end = await running.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(seen.size).toBe(4);
    expect(carried() - before).toBeLessThan(1.5 * packed * IN_BAND);
    const [ours, theirs] = await Promise.all([contentsOf(laptop, big), contentsOf(desktop, dir, 'refs/remotes/origin')]);
    expect(theirs).toEqual(ours);
    await desktop.git(dir, 'fsck', '--full', '--strict');
    expect(await kept(dir)).toBe('');
    expect(readdirSync(path.join(dir, '.git/objects')).filter((name) => name.startsWith('tmp_objdir'))).toEqual([]);
    await desktop.xmpp('unshare', dir);
  });
});

describe('an offer of the agent itself', () => {
  it('outlives the death of either agent, with a commit in it that is larger than a slice', async () => {
    const notes = await laptop.repo('notes');
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/notes');
    const copy = desktop.path('notes');
    await laptop.inSync('desktop');
    const sizes = [1, 1, 8, 1, 1];
    await laptop.xmpp('daemon', 'stop');
    let tip = '';
    for (const [index, megabytes] of sizes.entries()) {
      await writeFile(path.join(notes, `large-${index}.bin`), randomBytes(megabytes * 2 ** 20));
      tip = await laptop.commit(notes, {}, `large ${index}`);
    }
    const before = carried();
    await laptop.xmpp('daemon', 'start');
    const arrived = desktop.head(copy, tip, 90_000);
    const ended = arrived.then(() => ({ code: 0, stdout: '', stderr: '' }));
    const all = sizes.reduce((sum, each) => sum + each, 0) * 2 ** 20 * IN_BAND;
    let [hadSlice, hadPart] = [false, false];
    for (const device of [desktop, laptop, desktop, laptop]) {
      await pass(all / 6, ended);
      await restart(device);
      hadSlice ||= (await kept(copy)) !== '';
      hadPart ||= parts().length > 0;
    }
    await arrived;
    expect([hadSlice, hadPart]).toEqual([true, true]);
    expect(carried() - before).toBeLessThan(1.5 * all);
    for (const [device, dir] of [[laptop, notes], [desktop, copy]] as const) await device.git(dir, 'fsck', '--full', '--strict');
    await desktop.statusWhen(() => parts().length === 0);
    await desktop.inSync('laptop');
    expect(await kept(copy)).toBe('');
  });

  it('sends nothing again that both hold, where both went on while they were apart and the agent was started anew', async () => {
    const shared = await makeBigRepo(laptop, 'apart', 6);
    expect(await laptop.xmppIn(shared, 'share', '--new')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/apart');
    const copy = desktop.path('apart');
    await desktop.inSync('laptop');
    await desktop.kill();
    const ours = await laptop.commit(shared, { ours: '1' }, 'ours');
    await until(() => isHeard(laptop, shared, ours));
    await restart(laptop);
    // On its way for long enough that what goes the other way cannot build on it.
    await writeFile(path.join(copy, 'theirs.bin'), randomBytes(2 * 2 ** 20));
    const theirs = await desktop.commit(copy, {}, 'theirs');
    const before = carried();
    await desktop.xmpp('daemon', 'start');
    await until(async () => (await isHeard(laptop, shared, theirs)) && (await isHeard(desktop, copy, ours)));
    expect(carried() - before).toBeLessThan(3 * 2 ** 20 * IN_BAND);
    await desktop.xmpp('unshare', copy);
  });
});

describe('a clone that was begun', () => {
  it('is gone on with by the same command after an interruption, and by nothing else', async () => {
    const dir = desktop.path('begun');
    const running = desktop.start('git-xmpp', ['clone', 'laptop/big', 'begun']);
    await pass((packed * IN_BAND) / 4, running.ended);
    if (running.child.exitCode !== null) expect.unreachable(`it ended by itself: ${(await running.ended).stderr}`);
    process.kill(running.child.pid ?? 0, 'SIGINT');
    const end = await running.ended;
    expect(end.code).toBe(130);
    expect(end.stderr).toContain('what has come is kept; to go on: git xmpp clone laptop/big');
    const other = await desktop.run('git-xmpp', ['clone', 'laptop/notes', 'begun']);
    expect(other.code).not.toBe(0);
    expect(readFileSync(path.join(dir, '.git/config'), 'utf8')).toContain('cloning = "laptop/big"');
    const again = await desktop.run('git-xmpp', ['clone', 'laptop/big', 'begun']);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(readFileSync(path.join(dir, '.git/config'), 'utf8')).not.toContain('cloning');
    expect(await desktop.git(dir, 'rev-parse', 'HEAD')).toBe(await laptop.git(big, 'rev-parse', 'HEAD'));
    expect(await desktop.git(dir, 'status', '--porcelain', '--branch')).toBe('## main...origin/main');
  });
});

/** Packs that still come in. */
function parts(): string[] {
  const spool = path.join(desktop.home, 'state/spool');
  return existsSync(spool) ? readdirSync(spool).filter((name) => name.endsWith('.part')) : [];
}
