// What a clone is measured beside: the same repository over OpenSSH and from `git daemon`, both on this machine alone.
// Rule: an ordinary `git clone` with the same flags on all sides.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { rm } from 'node:fs/promises';
import { startProcess } from '../helpers/processes.ts';
import { findFreePorts } from '../helpers/ports.ts';
import { startSshd } from '../helpers/sshd.ts';
import type { Device } from '../helpers/device.ts';
import { started } from './teardown.ts';

export interface ClonePeers {
  /** Milliseconds of a clone each. */
  overSsh(device: Device): Promise<number>;
  fromDaemon(device: Device): Promise<number>;
  stop(): Promise<void>;
}

/** Serves the repository at `dir`. */
export async function startClonePeers(dir: string): Promise<ClonePeers> {
  const [sshd, stopSshd] = await started(startSshd(), (each) => each.stop());
  const [port = 0] = await findFreePorts(1);
  const program = path.join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon');
  const where = ['--listen=127.0.0.1', `--port=${port}`, `--base-path=${path.dirname(dir)}`, '--export-all'];
  const starting = startProcess(program, ['--verbose', '--reuseaddr', ...where], {
    name: 'git daemon',
    env: { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' },
    isReady: (output) => output.includes('Ready to rumble'),
  });
  const [, stopDaemon] = await started(starting, (each) => each.stop());
  return {
    overSsh: (device) => timeClone(device, sshd.urlOf(dir), sshd.env),
    fromDaemon: (device) => timeClone(device, `git://127.0.0.1:${port}/${path.basename(dir)}`),
    async stop() {
      await stopDaemon();
      await stopSshd();
    },
  };
}

/** Clones, says how many milliseconds it took, and throws the clone away. @throws with git's words when it failed */
export async function timeClone(device: Device, url: string, env: Record<string, string> = {}): Promise<number> {
  const into = device.path('cloned');
  const start = performance.now();
  const { code, stderr } = await device.run('git', ['clone', '--quiet', url, into], { env });
  const took = performance.now() - start;
  await rm(into, { recursive: true, force: true });
  if (code !== 0) throw new Error(`git clone ${url} failed: ${stderr.trim()}`);
  return took;
}
