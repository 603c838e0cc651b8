// Locks of refs that only agents write, left behind by a git that was killed (gitrepository-layout(5), refs/xmpp). Rule: git holds such a lock for
// moments; one that has grown old is nobody's, and no other ref is touched: people's branches have a journal (ref-locks.ts).

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import { unlinkIfThere } from './index-lock.ts';
import type { Repository } from './repository.ts';

/** Longer than git holds a lock for one transaction, even with 20 000 refs. */
const OLD_MS = 3_000;

/**
 * Removes the locks below refs/xmpp that nobody holds any more.
 * @param now milliseconds since 1970
 * @returns how many
 */
export function removeStaleLocks({ commonDir }: Pick<Repository, 'commonDir'>, now: number): Promise<number> {
  return sweep(join(commonDir, 'refs', 'xmpp'), now);
}

async function sweep(dir: string, now: number): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(nothing)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) removed += await sweep(path, now);
    else if (entry.isFile() && entry.name.endsWith('.lock') && (await isOld(path, now))) {
      await unlinkIfThere(path);
      removed += 1;
    }
  }
  return removed;
}

async function isOld(path: string, now: number): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  // A clock that was set back makes none of them old: the next look finds them.
  return stats !== undefined && now - stats.mtimeMs > OLD_MS;
}

function nothing(error: unknown): [] {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
  throw error;
}
