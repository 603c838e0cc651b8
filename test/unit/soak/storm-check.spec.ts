import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../helpers/device.ts';
import type { Copy } from '../../helpers/copies.ts';
import { checkBranches, checkLeft, checkObjects } from '../../soak/storm-check.ts';
import { AgentWatch } from '../../soak/storm-watch.ts';

const SOON = 500;

let one: Device;
let other: Device;
let copies: Copy[];
let tip: string;

beforeEach(async () => {
  [one, other] = [await new Device('one').prepare(), await new Device('other').prepare()];
  // This process stands for the agents.
  for (const device of [one, other]) {
    mkdirSync(path.join(device.home, 'state'), { recursive: true });
    writeFileSync(path.join(device.home, 'lock'), JSON.stringify({ pid: process.pid }));
  }
});

async function makeCopies(): Promise<void> {
  const dir = await one.repo('work');
  tip = await one.commit(dir, { 'a.txt': 'a\n' }, 'second');
  await other.git(other.dir, 'clone', '--quiet', dir, other.path('work'));
  await other.git(other.path('work'), 'remote', 'rename', '--no-progress', 'origin', 'one');
  await one.git(dir, 'remote', 'add', '--fetch', 'other', other.path('work'));
  copies = [{ device: one, dir }, { device: other, dir: other.path('work') }];
}

afterEach(async () => {
  for (const device of [one, other]) {
    rmSync(path.join(device.home, 'lock'), { force: true });
    await device.remove();
  }
});

const branches = (): Promise<string[]> => checkBranches(copies, new Map([['main', [tip]]]), SOON);
const left = (): Promise<string[]> => checkLeft({ device: one, dirs: [one.path('work')], descriptors: 10_000, quietMs: SOON });

describe('the check of branches', () => {
  beforeEach(makeCopies);

  it('has nothing to say of equal copies that have every commit', async () => {
    expect(await branches()).toEqual([]);
  });

  it('tells a commit that is really gone, though all copies are equal', async () => {
    for (const { device, dir } of copies) await device.git(dir, 'reset', '--quiet', '--hard', 'HEAD~1');
    for (const { device, dir } of copies) await device.git(dir, 'fetch', '--quiet', '--all');
    expect(await branches()).toEqual(['one', 'other'].map((name) => `${name}: lost: ${tip} of main`));
  });

  it('tells copies that stay different', async () => {
    await one.commit(one.path('work'), { 'b.txt': 'b\n' }, 'third');
    expect((await branches()).join('\n')).toContain(`other: refs/heads/main is ${tip}, and refs/heads/main of one is `);
  });

  it('tells a mirror that stays behind', async () => {
    await one.git(one.path('work'), 'branch', 'extra');
    expect(await branches()).toEqual([`other: refs/remotes/one/extra is undefined, and refs/heads/extra of one is ${tip}`]);
  });

  it('tells an object that is missing', async () => {
    const [{ device, dir }] = copies as [Copy];
    const blob = await device.git(dir, 'rev-parse', 'HEAD:a.txt');
    rmSync(path.join(dir, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    expect((await checkObjects({ device, dir })).join('\n')).toContain(`missing blob ${blob}`);
  });
});

describe('the check of what is left', () => {
  it('has nothing to say where nothing is', async () => {
    expect(await left()).toEqual([]);
  });

  it('tells a lock, a half-written file, more packs in the spool than may wait, and a line of the log that should never be', async () => {
    for (const dir of ['xmpp/state/spool', 'work/.git/refs/heads']) mkdirSync(one.path(dir), { recursive: true });
    for (const file of ['xmpp/state/maps-1.json.abc.tmp', 'xmpp/state/spool/a.pack', 'xmpp/state/spool/b.pack', 'xmpp/state/spool/c.pack', 'work/.git/refs/heads/main.lock']) writeFileSync(one.path(file), '');
    writeFileSync(path.join(one.home, 'agent.log'), '2026-11-25T00:00:00Z warn main: unhandled why="x is not a function"\n');
    const found = await left();
    for (const words of ['left: maps-1.json.abc.tmp', 'left: spool/c.pack', 'left: refs/heads/main.lock', 'log: 2026-11-25T00:00:00Z warn main: unhandled']) {
      expect(found.join('\n')).toContain(words);
    }
  });

  it('tells a process that no agent has any more', async () => {
    const child = spawn('sleep', ['60'], { cwd: one.dir });
    // It is a child of this process, which stands for the other agent.
    writeFileSync(path.join(one.home, 'lock'), JSON.stringify({ pid: child.pid }));
    const orphan = spawn('sleep', ['61'], { cwd: one.dir });
    const found = await left();
    for (const each of [child, orphan]) each.kill();
    expect(found).toEqual([expect.stringContaining(`left: process ${orphan.pid}: sleep 61`)]);
  });
});

describe('the watch of agents', () => {
  it('tells one that ends though nobody ended it', async () => {
    const child = spawn('sleep', ['60']);
    writeFileSync(path.join(one.home, 'lock'), JSON.stringify({ pid: child.pid }));
    const told: string[] = [];
    const watch = new AgentWatch([one], (line) => told.push(line), 10);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await expect.poll(() => told).toEqual([expect.stringContaining('one: the agent ended by itself')]);
    expect(watch.stop().memory).toBeGreaterThan(0);
  });
});
