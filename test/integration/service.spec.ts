// The service, under systemd's own user manager where this machine can run one (test/helpers/user-manager.ts): from a folder with an odd name.

import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { startUserManager } from '../helpers/user-manager.ts';
import type { UserManager } from '../helpers/user-manager.ts';

const DIST = path.join(import.meta.dirname, '../../dist');
const PROGRAMS = ['git-xmpp.cjs', 'git-remote-xmpp.cjs', 'git-xmpp-shell.cjs', 'agent.mjs'];

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let manager: UserManager;
let notes: string;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes, copy } = await shareNotes(setting));
  for (const device of [laptop, desktop]) {
    await device.stop();
    installPackage(device);
    await device.xmpp('daemon', 'start');
  }
  manager = await startUserManager(laptop);
});

afterAll(async () => {
  if (laptop !== undefined) await laptop.run('git-xmpp', ['service', 'uninstall']);
  await manager?.stop();
  await setting?.stop();
});

/** A copy of the built package, first on the device's search path, that an upgrade may replace. */
function installPackage(device: Device): void {
  const dir = packageOf(device);
  for (const name of PROGRAMS) cpSync(path.join(DIST, name), path.join(dir, 'dist', name));
  const bin = device.path('bin of $HOME');
  for (const name of PROGRAMS.slice(0, 3)) {
    cpSync(path.join(DIST, name), path.join(bin, name));
    rmSync(path.join(bin, name));
    symlinkSync(path.join(dir, 'dist', name), path.join(bin, name.replace('.cjs', '')));
  }
  device.env['PATH'] = `${bin}:${device.env['PATH'] ?? ''}`;
}

function packageOf(device: Device): string {
  return device.path('100%h "lib" $HOME', 'git-xmpp');
}

/** As npm does: the new folder is made beside the old one, and takes its place. */
function upgrade(device: Device, version: string): void {
  const dir = packageOf(device);
  cpSync(dir, `${dir}.new`, { recursive: true });
  for (const name of ['git-xmpp.cjs', 'agent.mjs']) {
    const file = path.join(`${dir}.new`, 'dist', name);
    const text = readFileSync(file, 'utf8').replaceAll(/"\d+\.\d+\.\d+-?\w*"(?=;\n|, program \})/g, JSON.stringify(version));
    writeFileSync(file, text);
  }
  renameSync(dir, `${dir}.old`);
  renameSync(`${dir}.new`, dir);
  rmSync(`${dir}.old`, { recursive: true });
}

function runningVersion(device: Device): Promise<unknown> {
  return device.client.request('GET', '/version');
}

async function untilVersion(device: Device, version: string): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const running = await runningVersion(device).catch(() => undefined);
    if (running !== undefined && JSON.stringify(running).includes(`"version":"${version}"`)) return;
    if (Date.now() > until) throw new Error(`${device.name}: the agent is not of version ${version}, but ${JSON.stringify(running)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function unitFiles(): string[] {
  const dir = laptop.path('.config/systemd');
  return existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }) : [];
}

describe('the service', () => {
  it('says that it is not installed, and what to type', async () => {
    const told = await laptop.run('git-xmpp', ['service', 'status']);
    expect(told).toMatchObject({ code: 1, stdout: 'not installed\n' });
    expect(told.stderr).toBe('git-xmpp: [service] no service is installed; the agent runs without one\n  git xmpp service install\n');
  });

  it('takes over from an agent that runs, and installed again leaves it alone', async () => {
    const before = laptop.agentPid();
    const { stderr } = await laptop.xmpp('service', 'install');
    expect(stderr).toMatch(/^the service git-xmpp-[0-9a-f]{12}\.service is installed, and runs\n/m);
    const pid = laptop.agentPid();
    expect(pid).not.toBe(before);
    expect((await laptop.xmpp('service', 'install')).stderr).toMatch(/ runs already\n/);
    expect(laptop.agentPid()).toBe(pid);
    const told = await laptop.xmpp('service', 'status');
    expect(told.stdout).toContain(`active     active (running), process ${pid}\n`);
    expect(told.stdout).toMatch(/^enabled +yes$/m);
    await laptop.inSync('desktop');
  });

  it('is up again after a crash, and nothing is lost', async () => {
    const pid = laptop.agentPid();
    await laptop.kill();
    const oid = await laptop.commit(notes, { 'while.txt': 'nobody looked\n' }, 'while it was down');
    await desktop.head(copy, oid);
    expect(laptop.agentPid()).not.toBe(pid);
  });

  it('stays down when it was stopped, and is what the next command starts', async () => {
    const told = await laptop.xmpp('daemon', 'stop');
    expect(told.stderr).toMatch(/^the agent has stopped; the next command/m);
    expect((await laptop.run('git-xmpp', ['service', 'status'])).stderr).toMatch(/ does not run\n  git xmpp daemon start\n/);
    await laptop.xmpp('account');
    expect((await laptop.xmpp('service', 'status')).stdout).toContain(`process ${laptop.agentPid()}\n`);
  });

  it('goes over to a newer program when a command of it comes, and finishes first what a person waits for', async () => {
    // Signed in again.
    await laptop.inSync('desktop');
    const shown = laptop.start('git-xmpp', ['pair']);
    onTestFinished(() => void shown.child.kill('SIGTERM'));
    await shown.line(/^git xmpp pair \d/);
    const pid = laptop.agentPid();
    upgrade(laptop, '0.1.1-b');
    const busy = await laptop.xmpp('account');
    expect(busy.stderr).toBe('the agent is still version 0.1.0: it goes over to 0.1.1-b as soon as nothing is moving\n');
    expect(laptop.agentPid()).toBe(pid);
    shown.child.kill('SIGTERM');
    await untilVersion(laptop, '0.1.1-b');
    expect((await laptop.xmpp('service', 'status')).stdout).toContain(`process ${laptop.agentPid()}\n`);
    upgrade(laptop, '0.1.2');
    expect((await laptop.xmpp('account')).stderr).toMatch(/ 0\.1\.2/);
    await untilVersion(laptop, '0.1.2');
    expect((await laptop.xmpp('account')).stderr).toBe('');
    const oid = await laptop.commit(notes, { 'newer.txt': 'goes on\n' }, 'after the upgrade');
    await desktop.head(copy, oid);
  });

  it('has an agent without one go over as well', async () => {
    upgrade(desktop, '0.1.2');
    // What the last commit moved may still be going on.
    expect((await desktop.xmpp('account')).stderr).toMatch(/^the agent (goes over to version|is still version 0\.1\.0: it goes over to) 0\.1\.2/);
    await untilVersion(desktop, '0.1.2');
    const oid = await desktop.commit(copy, { 'there.txt': 'too\n' }, 'from the other side');
    await laptop.head(notes, oid);
  });

  it('leaves nothing when it is removed, and is started by commands again', async () => {
    expect((await laptop.xmpp('service', 'uninstall')).stderr).toMatch(/ is removed; commands start the agent as they need it\n/);
    expect(unitFiles()).toEqual([]);
    await expect(runningVersion(laptop)).rejects.toMatchObject({ code: 'agent' });
    expect((await laptop.xmpp('service', 'uninstall')).stderr).toMatch(/^there is no service git-xmpp-/);
    await laptop.xmpp('daemon', 'start');
    await laptop.inSync('desktop');
  });

  it('is refused where nobody manages services, and nothing is written', async () => {
    const env = manager.isReal ? { XDG_RUNTIME_DIR: desktop.dir } : { PATH: `${desktop.path('bin of $HOME')}:${path.dirname(process.execPath)}` };
    const told = await laptop.run('git-xmpp', ['service', 'install'], { env });
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(/^git-xmpp: \[service\] (systemctl was not found|systemd's user manager does not answer).*\n(  .*\n)*  without systemd, have "git xmpp daemon run" started/);
    expect(unitFiles()).toEqual([]);
  });
});
