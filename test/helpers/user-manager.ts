// The manager of a device's services: systemd's own, in namespaces of its own, where this machine can run one; else a stand-in for its commands.
// Rule: it manages that device alone, and ends with all that it started; which of the two it was is told.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Device } from './device.ts';

const SYSTEMD = '/lib/systemd/systemd';
const STAND_IN = path.join(import.meta.dirname, '../fixtures/programs/user-manager.mjs');
const READY_MS = 5_000;

export interface UserManager {
  readonly isReal: boolean;
  stop(): Promise<void>;
}

/** systemd(1) runs where it finds its folder below /run and a control group that it may divide; both are made in a mount namespace. */
const BEGIN = `
set -e
mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/$GROUP && echo $$ > /sys/fs/cgroup/$GROUP/cgroup.procs
exec unshare --cgroup sh -c 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$0" --user' "$SYSTEMD"
`;

const END = `
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
find /sys/fs/cgroup/$GROUP -depth -type d -exec rmdir {} +
`;

/** A manager at the place where the device's environment says that it is. GIT_XMPP_SYSTEMD=no takes the stand-in. */
export async function startUserManager(device: Device): Promise<UserManager> {
  return (await startReal(device)) ?? startStandIn(device);
}

async function startReal(device: Device): Promise<UserManager | undefined> {
  if (process.env['GIT_XMPP_SYSTEMD'] === 'no' || process.getuid?.() !== 0 || !existsSync(SYSTEMD) || !existsSync('/run/systemd')) return undefined;
  const runtime = device.env['XDG_RUNTIME_DIR'] ?? '';
  const group = path.basename(device.dir);
  const env = { PATH: process.env['PATH'], HOME: device.dir, XDG_RUNTIME_DIR: runtime, LC_ALL: 'C.UTF-8', SYSTEMD_LOG_TARGET: 'console', GROUP: group, SYSTEMD };
  const manager = spawn('unshare', ['--mount', 'sh', '-c', BEGIN], { env, stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    await end(manager);
    spawnSync('unshare', ['--mount', 'sh', '-c', END], { env, stdio: 'ignore' });
  };
  const isUp = (): boolean => spawnSync('systemctl', ['--user', 'is-active', 'default.target'], { env, stdio: 'ignore' }).status === 0;
  const until = Date.now() + READY_MS;
  while (manager.exitCode === null && Date.now() < until) {
    if (isUp()) return { isReal: true, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  return undefined;
}

async function end(manager: ChildProcess): Promise<void> {
  if (manager.exitCode !== null || manager.signalCode !== null) return;
  const ended = once(manager, 'exit');
  manager.kill('SIGTERM');
  await ended;
}

/** Before everything else on the device's search path. */
async function startStandIn(device: Device): Promise<UserManager> {
  const bin = device.path('stand-in');
  mkdirSync(bin);
  chmodSync(STAND_IN, 0o755);
  for (const name of ['systemctl', 'loginctl', 'journalctl']) symlinkSync(STAND_IN, path.join(bin, name));
  device.env['PATH'] = `${bin}:${device.env['PATH'] ?? ''}`;
  return { isReal: false, stop: async () => undefined };
}
