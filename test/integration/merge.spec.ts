// `xmpp.merge = merge` between real devices: what was committed at once ends at one commit everywhere, and nobody's work is lost.
// Rule: devices commit while their agents are stopped in their tracks, so that each has committed before it hears of the others.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDeviceLine } from '../helpers/device-line.ts';
import type { DeviceLine } from '../helpers/device-line.ts';
import type { Device } from '../helpers/device.ts';

const DEADLINE_MS = 60_000;

/** Waits until all have the same commit and nothing that is not committed. @returns it */
async function converged({ devices, dirs }: DeviceLine): Promise<string> {
  const until = Date.now() + DEADLINE_MS;
  for (;;) {
    const tips = await Promise.all(devices.map((device, index) => device.git(dirs[index] ?? '', 'rev-parse', 'main')));
    if (new Set(tips).size === 1) {
      for (const [index, device] of devices.entries()) await device.head(dirs[index] ?? '', tips[0] ?? '');
      return tips[0] ?? '';
    }
    if (Date.now() > until) throw new Error(`no one commit: ${tips.join(' ')}\n${devices.map((device) => device.log()).join('\n\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Each does its work before any hears of the others'. */
async function atOnce(line: DeviceLine, work: (device: Device, dir: string, index: number) => Promise<unknown>): Promise<void> {
  for (const device of line.devices) device.suspend();
  for (const [index, device] of line.devices.entries()) await work(device, line.dirs[index] ?? '', index);
  for (const device of line.devices) device.wake();
}

async function expectSound({ devices, dirs }: DeviceLine): Promise<void> {
  for (const [index, device] of devices.entries()) {
    const { code, stdout, stderr } = await device.run('git', ['fsck', '--full', '--strict', '--no-dangling'], { cwd: dirs[index] ?? '' });
    expect([code, stdout, stderr.replace(/Checking.*\n?/g, '')]).toEqual([0, '', '']);
  }
}

const committed = async (device: Device, dir: string): Promise<string[]> => (await device.git(dir, 'ls-tree', '-r', '--name-only', 'main')).split('\n');

/** Commits one new file and nothing else. */
async function commitOnly(device: Device, dir: string, name: string): Promise<void> {
  writeFileSync(path.join(dir, name), `${name}\n`);
  await device.git(dir, 'add', name);
  await device.git(dir, 'commit', '--quiet', '-m', name);
}

/** As a person does whose git says that another is at work on the index just now: once more. */
async function insist(device: Device, dir: string, ...args: string[]): Promise<void> {
  const until = Date.now() + DEADLINE_MS;
  for (;;) {
    const { code, stderr } = await device.run('git', args, { cwd: dir });
    if (code === 0) return;
    if (!stderr.includes('index.lock') || Date.now() > until) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until main leads to `oid`. */
async function contains(device: Device, dir: string, oid: string): Promise<void> {
  const until = Date.now() + DEADLINE_MS;
  while ((await device.run('git', ['merge-base', '--is-ancestor', oid, 'main'], { cwd: dir })).code !== 0) {
    if (Date.now() > until) throw new Error(`${device.name} has no ${oid}\n${device.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe.each([
  ['two devices', ['laptop', 'desktop']],
  ['three devices in a line', ['laptop', 'server', 'desktop']],
])('%s', (_title, names) => {
  let line: DeviceLine;
  let first: Device;
  let dir: string;

  beforeAll(async () => {
    line = await startDeviceLine(names, { 'xmpp.merge': 'merge' });
    [first, dir] = [line.devices[0] as Device, line.dirs[0] as string];
  });

  afterEach(() => expectSound(line));
  afterAll(() => line?.stop());

  it('end at one commit after commits on different files', async () => {
    await atOnce(line, (device, at) => device.commit(at, { [`${device.name}.txt`]: `${device.name}\n` }, device.name));
    await converged(line);
    expect(await committed(first, dir)).toEqual(expect.arrayContaining(names.map((name) => `${name}.txt`)));
  });

  it('end at one commit after commits on the same line, with every version', async () => {
    await atOnce(line, (device, at) => device.commit(at, { 'a.txt': `a of ${device.name}\n` }, `a of ${device.name}`));
    await converged(line);
    const files = (await committed(first, dir)).filter((name) => name.startsWith('a.'));
    expect(files).toHaveLength(names.length);
    const texts = files.map((name) => readFileSync(path.join(dir, name), 'utf8'));
    expect(texts.toSorted()).toEqual(names.map((name) => `a of ${name}\n`).toSorted());
    const told = await Promise.all(line.devices.map((device) => device.event(({ type }) => type === 'conflict')));
    for (const { paths } of told) expect(paths?.every((each) => files.includes(each))).toBe(true);
  });

  it('let what was amended go, also where it has been merged meanwhile', async () => {
    writeFileSync(path.join(dir, 'b.txt'), 'being written\n');
    await atOnce(line, (device, at, index) =>
      index === 0 ? commitOnly(device, at, 'x.txt') : device.commit(at, { 'b.txt': `b of ${device.name}\n` }, `b of ${device.name}`),
    );
    const dropped = await first.git(dir, 'rev-parse', 'main');
    await first.event(({ type, words }) => type === 'waiting' && words.includes('b.txt'));
    for (const [index, device] of line.devices.entries()) if (index > 0) await contains(device, line.dirs[index] ?? '', dropped);
    expect(await first.git(dir, 'rev-parse', 'main')).toBe(dropped);
    await insist(first, dir, 'commit', '--quiet', '--amend', '--all', '-m', 'amended');
    const amended = await first.git(dir, 'rev-parse', 'main');
    await converged(line);
    const held = (await first.git(dir, 'rev-list', 'main')).split('\n');
    expect(held).toContain(amended);
    expect(held).not.toContain(dropped);
    expect((await committed(first, dir)).filter((name) => name.startsWith('b.'))).toHaveLength(names.length);
  });

  it('follow an amend, a reset and the way back', async () => {
    const before = await converged(line);
    const dropped = await first.commit(dir, { 'y.txt': 'y\n' }, 'y');
    await converged(line);
    await first.git(dir, 'commit', '--quiet', '--amend', '-m', 'y, amended');
    const amended = await first.git(dir, 'rev-parse', 'main');
    expect(await converged(line)).toBe(amended);
    expect(amended).not.toBe(dropped);
    const last = line.devices.at(-1);
    await last?.git(line.dirs.at(-1) ?? '', 'reset', '--quiet', '--hard', before);
    await first.head(dir, before);
    expect(await converged(line)).toBe(before);
    await first.git(dir, 'reset', '--quiet', '--hard', amended);
    await last?.head(line.dirs.at(-1) ?? '', amended);
    expect(await converged(line)).toBe(amended);
  });

  it('leave a dirty work tree alone, and catch up once it is clean', async () => {
    const [last] = line.devices.slice(-1);
    const there = line.dirs.at(-1) ?? '';
    const before = (await committed(first, dir)).length;
    writeFileSync(path.join(there, 'b.txt'), 'not committed\n');
    const oid = await first.commit(dir, { 'b.txt': 'b of the first\n' }, 'b');
    await last?.event(({ type, words }) => type === 'waiting' && words.includes('b.txt'));
    expect(readFileSync(path.join(there, 'b.txt'), 'utf8')).toBe('not committed\n');
    if (last !== undefined) await insist(last, there, 'commit', '--quiet', '-am', 'mine');
    expect(await converged(line)).not.toBe(oid);
    expect(await committed(first, dir)).toHaveLength(before + 1);
  });
});
