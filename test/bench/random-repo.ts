// A repository whose size is its bytes: blobs that do not compress, one to a commit. Rule: made as fast as the disk takes it.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Device } from '../helpers/device.ts';

const COMMITS = 200;
/** Far fewer than commits: what is checked out is small beside the history. */
const FILES = 14;

/** Makes a repository of `megabytes` on a device, in `dir`. */
export async function makeRandomRepo(device: Device, dir: string, megabytes: number): Promise<void> {
  await device.git(device.dir, 'init', '--quiet', dir);
  const args = ['-c', 'core.compression=0', '-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet'];
  const git = spawn('git', args, { cwd: dir, env: device.env, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(git, 'close');
  const size = Math.floor((megabytes * 2 ** 20) / COMMITS);
  for (let number = 1; number <= COMMITS; number += 1) {
    const from = number === 1 ? '' : `from :${number - 1}\n`;
    const head = `commit refs/heads/main\nmark :${number}\ncommitter Ann <ann@example.org> ${1_700_000_000 + number} +0000\ndata 1\nx\n${from}`;
    git.stdin.write(`${head}M 100644 inline file-${number % FILES}.bin\ndata ${size}\n`);
    git.stdin.write(randomBytes(size));
    if (!git.stdin.write('\n')) await once(git.stdin, 'drain');
  }
  git.stdin.end();
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
  await device.git(dir, 'reset', '--quiet', '--hard');
}
