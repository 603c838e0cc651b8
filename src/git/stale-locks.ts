// Locks of refs that only agents write, left behind by a git that was killed (gitrepository-layout(5), refs/xmpp). Rule: git holds such a lock for
// moments; one that has grown old is nobody's, and no other ref is touched: people's branches have a journal (ref-locks.ts).

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import { unlinkIfThere } from './index-lock.ts';
import type { Repository } from './repository.ts';

/** Longer than git holds a lock for one transaction, even with 20 000 refs. */
const OLD_MS = 3_000;
const LOOK_MS = 200;
const LOOKS = OLD_MS / LOOK_MS + 1;

/**
 * Removes the locks below refs/xmpp that nobody holds any more.
 * @param now milliseconds since 1970
 * @returns how many
 */
export function removeStaleLocks({ commonDir }: Pick<Repository, 'commonDir'>, now: number): Promise<number> {
  return sweep(join(commonDir, 'refs', 'xmpp'), now);
}

/**
 * Waits until nobody holds a lock below refs/xmpp/<`corner`>: what lives lets go of it in moments, and what is left by a git that was killed is removed once it is old.
 * @returns whether there was one
 */
export async function freeLocks({ commonDir }: Pick<Repository, 'commonDir'>, corner: string, clock: Clock): Promise<boolean> {
  const dir = join(commonDir, 'refs', 'xmpp', corner);
  if (!(await hasLock(dir))) return false;
  // Counted, for a clock that is set back must not make the wait longer.
  for (let looks = 0; looks < LOOKS && (await hasLock(dir)); looks += 1) {
    await delay(LOOK_MS, clock);
    await sweep(dir, clock.now());
  }
  return true;
}

async function hasLock(dir: string): Promise<boolean> {
  const names = await readdir(dir, { recursive: true }).catch(nothing);
  return names.some((name) => name.endsWith('.lock'));
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
