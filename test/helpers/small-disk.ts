// A disk so small that a spec can fill it: a tmpfs over a folder (mount(8)). Rule: it is unmounted, whatever the spec did to it.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { open, rm, stat, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const READ_ONLY_TRIES = 200;

export interface SmallDisk {
  /** Leaves not a byte. */
  fill(): Promise<void>;
  /** Takes away what filled it, or so many bytes of it. */
  free(bytes?: number): Promise<void>;
  unmount(): Promise<void>;
}

/** Whether this process may mount anything: root may, unless it is in a container. */
export function mayMount(): boolean {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(dir);
  }
}

/** Mounts a disk of so many MiB over `dir`, which is hidden until it is unmounted. */
export async function mountSmallDisk(dir: string, megabytes: number): Promise<SmallDisk> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', dir]);
  const ballast = path.join(dir, 'ballast');
  return {
    async fill() {
      const file = await open(ballast, 'a');
      try {
        for (const size of [65_536, 1]) await writeUntilFull(file, Buffer.alloc(size));
      } finally {
        await file.close();
      }
    },
    async free(bytes) {
      if (bytes === undefined) await rm(ballast);
      else await truncate(ballast, (await stat(ballast)).size - bytes);
    },
    async unmount() {
      // A git that the agent had started may live a moment longer than the agent: the folder is free at once, the disk when it ends.
      while (isMounted(dir)) await run('umount', ['--lazy', dir]);
    },
  };
}

function isMounted(dir: string): boolean {
  return readFileSync('/proc/self/mounts', 'utf8').split('\n').some((line) => line.split(' ')[1] === dir);
}

/**
 * Lets nobody change anything below `dir` (EROFS) until what is returned is called: a second, read-only view over the disk. Files that are open for
 * writing stay so, as the kernel refuses more. The view stays, for somebody may work in it; it goes with the disk.
 */
export async function makeReadOnly(dir: string): Promise<() => Promise<void>> {
  await run('mount', ['--bind', dir, dir]);
  // Whoever has just opened a file there to write to is waited for.
  for (let tries = 1; ; tries += 1) {
    try {
      await run('mount', ['-o', 'remount,bind,ro', dir]);
      break;
    } catch (error) {
      if (tries === READ_ONLY_TRIES) throw error;
    }
  }
  return async () => {
    await run('mount', ['-o', 'remount,bind,rw', dir]);
  };
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, block: Uint8Array): Promise<void> {
  for (;;) {
    try {
      const { bytesWritten } = await file.write(block);
      if (bytesWritten < block.length) return;
    } catch {
      return;
    }
  }
}
