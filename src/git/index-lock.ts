// git's own lock on an index, taken by the agent (gitrepository-layout(5), index.lock).
// Rule: which file it is (inode and time) is written down before it exists, so a stale one can be told from anybody else's.

import type { BigIntStats } from 'node:fs';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';

const HOLD = 'xmpp-index-hold';
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Takes `index.lock` in `gitDir`.
 * The lock is a second name of a file that is kept beside it, so its inode cannot come to be somebody else's.
 * @param record writes the file's identity to a safe place; awaited before the lock is there (if there are hard links)
 * @returns false when somebody else holds it
 */
export async function takeIndexLock(gitDir: string, record: (identity: string) => Promise<void>): Promise<boolean> {
  const hold = join(gitDir, HOLD);
  const lock = join(gitDir, 'index.lock');
  await unlinkIfThere(hold);
  await record(await create(hold));
  try {
    await link(hold, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
  }
  try {
    await record(await create(lock));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes `index.lock` if it is that file, and what was kept beside it. */
export async function dropIndexLock(gitDir: string, identity: string): Promise<void> {
  await unlinkSame(join(gitDir, 'index.lock'), identity);
  await unlinkIfThere(join(gitDir, HOLD));
}

/** Removes the file at `path` if it is the one that was noted. */
export async function unlinkSame(path: string, identity: string): Promise<void> {
  if ((await identityOf(path)) === identity) await unlinkIfThere(path);
}

/** Which file is at `path`: an inode number alone is soon given to another. Undefined for nothing. */
export async function identityOf(path: string): Promise<string | undefined> {
  try {
    return formatIdentity(await lstat(path, { bigint: true }));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
  }
}

async function create(path: string): Promise<string> {
  const file = await open(path, 'wx', 0o644);
  try {
    return formatIdentity(await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

function formatIdentity({ ino, mtimeNs }: BigIntStats): string {
  return `${ino}@${mtimeNs}`;
}
