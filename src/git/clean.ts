// What a killed git receive-pack leaves behind: its quarantine (git-receive-pack(1), "Quarantine Environment").
// Rule: only what is older than this agent's own processes is taken for left behind.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import type { Repository } from './repository.ts';
import { removeStaleLocks } from './stale-locks.ts';

/** A push that lives may wait for its link, and write nothing, as long as a link is waited for: seven days at most (`xmpp.giveUp`). */
const LONGEST_PUSH_MS = 8 * 86_400_000;

/**
 * Removes quarantines of pushes that were cut off.
 * @param options.before milliseconds since 1970: when the agent started
 * @returns how many were removed
 */
export async function removeStaleIncoming(repository: Repository, options: { readonly before: number }): Promise<number> {
  const objects = join(repository.commonDir, 'objects');
  let removed = 0;
  for (const name of await readdir(objects)) {
    if (!name.startsWith('tmp_objdir-incoming-')) continue;
    const path = join(objects, name);
    if ((await lastChange(path)) >= options.before) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/** What a git that was killed alone, under an agent that goes on, has left. */
export async function sweepKilled(repository: Repository, { startedAt, now }: { readonly startedAt: number; readonly now: number }): Promise<void> {
  await removeStaleLocks(repository, now);
  await removeStaleIncoming(repository, { before: Math.max(startedAt, now - LONGEST_PUSH_MS) });
}

/** The latest change in a quarantine; a pack that still arrives keeps it young. */
async function lastChange(path: string): Promise<number> {
  let latest = 0;
  for (const inside of [path, join(path, 'pack'), ...(await packsIn(path))]) {
    try {
      latest = Math.max(latest, (await stat(inside)).mtimeMs);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return latest;
}

async function packsIn(path: string): Promise<string[]> {
  try {
    return (await readdir(join(path, 'pack'))).map((name) => join(path, 'pack', name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
