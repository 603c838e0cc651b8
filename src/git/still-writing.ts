// Whether the git that an agent had started to write files lives on after the agent was killed.
// Rule: what cannot be told counts as yes for a while, for what that git still writes would pass for somebody's work.

import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { privateLock } from './private-index.ts';

/** Where processes cannot be looked at, a lock counts as held for so long, in milliseconds. */
const UNKNOWN_MS = 60_000;

/** Whether a process holds the lock of the private index, which git read-tree does from before its first file until after its last. */
export async function isStillWriting(gitDir: string, now: number): Promise<boolean> {
  const lock = privateLock(gitDir);
  try {
    const { mtimeMs } = await stat(lock);
    const pids = await readdir('/proc').catch(() => undefined);
    if (pids === undefined) return now - mtimeMs < UNKNOWN_MS;
    const real = await realpath(lock);
    const held = await Promise.all(pids.filter((name) => /^\d+$/.test(name)).map((pid) => hasOpen(pid, real)));
    return held.includes(true);
  } catch {
    return false;
  }
}

/** proc_pid_fd(5): each open file is a link to it. Processes of others, and those that have ended, have none to be seen. */
async function hasOpen(pid: string, file: string): Promise<boolean> {
  const folder = join('/proc', pid, 'fd');
  const links = await readdir(folder).catch(() => []);
  const open = await Promise.all(links.map((link) => readlink(join(folder, link)).catch(() => '')));
  return open.includes(file);
}
