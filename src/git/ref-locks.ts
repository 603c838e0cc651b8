// The locks that git update-ref takes for a move, and what to do with them when it was killed (gitrepository-layout(5)).
// Rule: a lock goes only when it is known to be ours: by its identity, or, when there was no time to note that, by what is in it.

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import { identityOf, unlinkIfThere, unlinkSame } from './index-lock.ts';
import { readJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { UpdateProcess } from './ref-transaction.ts';
import { readSmallFile } from './worktrees.ts';

const SAME_MOMENT_MS = 1000;

/** The locks that are there now on a branch and on the HEAD that names it. */
export async function findRefLocks(commonDir: string, move: Pick<Journal, 'gitDir' | 'branch'>): Promise<Journal['refLocks']> {
  const paths = pathsOf(commonDir, move);
  const identities = await Promise.all(paths.map(identityOf));
  return paths.flatMap((path, index) => {
    const identity = identities[index];
    return identity === undefined ? [] : [{ path, identity }];
  });
}

/** Removes the locks that a killed update-ref has left of the move in `journal`. */
export async function dropRefLocks(commonDir: string, journal: Journal): Promise<void> {
  for (const lock of journal.refLocks) await unlinkSame(lock.path, lock.identity);
  if (journal.refLocks.length > 0) return;
  const [branchLock, headLock] = pathsOf(commonDir, journal);
  if (branchLock === undefined || headLock === undefined || (await readSmallFile(branchLock)) !== journal.to) return;
  const [branchTime, headTime] = [await writtenAt(branchLock), await writtenAt(headLock)];
  const isSameMoment = branchTime !== undefined && headTime !== undefined && Math.abs(branchTime - headTime) < SAME_MOMENT_MS;
  await unlinkIfThere(branchLock);
  if (isSameMoment) await unlinkIfThere(headLock);
}

/** Removes what the update of a move has left locked, where it was killed and this agent was not; called before the journal goes. */
export async function dropLocksOfKilled(commonDir: string, update: UpdateProcess, noted: { readonly file: string; readonly journal: Journal }): Promise<void> {
  if (await update.wasKilled()) await dropRefLocks(commonDir, (await readJournal(noted.file).catch(() => undefined)) ?? noted.journal);
}

function pathsOf(commonDir: string, { gitDir, branch }: Pick<Journal, 'gitDir' | 'branch'>): string[] {
  return [join(commonDir, `${branch}.lock`), join(gitDir, 'HEAD.lock')];
}

async function writtenAt(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
