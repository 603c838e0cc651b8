// Makes a finished commit the tip of the branch that is checked out, where the files are as it says already
// (docs/decisions/0034-commits-by-itself.md). Rule: the index changes by one rename under index.lock, then the branch from the value that was
// seen; what a crash leaves between the two is finished by recover.ts.

import { messageOf } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findBusy } from './busy.ts';
import { dropIndexLock, identityOf, takeIndexLock } from './index-lock.ts';
import { journalPath, writeJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { installIndex, realIndex } from './private-index.ts';
import { recoverMove, tidy } from './recover.ts';
import type { RecoverDeps } from './recover.ts';
import { REFLOG_MARK } from './reflog.ts';
import { dropLocksOfKilled, findRefLocks } from './ref-locks.ts';
import { startUpdate } from './ref-transaction.ts';
import type { PreparedUpdate, UpdateProcess } from './ref-transaction.ts';
import type { Repository } from './repository.ts';
import { headBranch } from './worktrees.ts';

/** How far it has come; specs stop the process there. */
export type CommitStage = 'journalled' | 'locked' | 'prepared' | 'noted' | 'installed' | 'committed';

export interface NewCommit {
  /** The work tree and its git directory. */
  readonly path: string;
  readonly gitDir: string;
  readonly branch: RefName;
  /** Absent when the branch is unborn. */
  readonly from: Oid | undefined;
  readonly to: Oid;
  /** Which file the index was that the private one is a copy of (`identityOf`). */
  readonly index: string | undefined;
  readonly stateDir: string;
}

interface Deps extends RecoverDeps {
  readonly onStage?: (stage: CommitStage) => void;
}

/**
 * The private index must hold the tree of `to`.
 * @returns why it could not be done now, in words, when nothing has changed
 */
export async function publishCommit(deps: Deps, repository: Repository, commit: NewCommit): Promise<string | undefined> {
  const file = journalPath(commit.stateDir, repository.commonDir);
  const update = startUpdate(deps.startGit, realIndex(commit), `${REFLOG_MARK}commit`);
  const { path, gitDir, branch, from, to } = commit;
  let journal: Journal = { kind: 'commit', path, gitDir, branch, from, to, indexLock: '0', refLocks: [] };
  try {
    const isLocked = await takeIndexLock(gitDir, async (indexLock) => {
      journal = { ...journal, indexLock };
      await writeJournal(file, journal, { isDurable: true });
      deps.onStage?.('journalled');
    });
    const words = isLocked ? await underLock(deps, repository, { commit, file, journal, update }) : 'git is at work on the index';
    if (words === 'broken') return await afterBreak(deps, repository, commit);
    if (isLocked) await dropLocksOfKilled(repository.commonDir, update, { file, journal });
    await tidy(file, journal);
    return words;
  } catch (error) {
    await tidy(file, journal);
    throw error;
  } finally {
    update.end();
  }
}

interface Locked {
  readonly commit: NewCommit;
  readonly file: string;
  readonly journal: Journal;
  readonly update: UpdateProcess;
}

/** @returns why not, if not; `broken` when index and branch may differ */
async function underLock(deps: Deps, repository: Repository, { commit, file, journal, update }: Locked): Promise<string | undefined> {
  const { gitDir, branch, from, to } = commit;
  deps.onStage?.('locked');
  let prepared: PreparedUpdate | undefined;
  let isInstalled = false;
  try {
    prepared = await update.prepare({ ref: branch, from, to });
    if (prepared === undefined) return 'the branch was moved, or is locked, by somebody else';
    deps.onStage?.('prepared');
    await writeJournal(file, { ...journal, refLocks: await findRefLocks(repository.commonDir, journal) }, { isDurable: false });
    deps.onStage?.('noted');
    if ((await headBranch(gitDir)) !== branch) return 'another branch has been checked out meanwhile';
    if ((await identityOf(`${gitDir}/index`)) !== commit.index) return 'git was at work on the index';
    const busy = await findBusy(repository, { branch, ownLockIn: gitDir });
    if (busy !== undefined) return busy;
    isInstalled = true;
    await installIndex(gitDir);
    deps.onStage?.('installed');
    // As with a move: whoever sees the branch moved must not meet our lock.
    await dropIndexLock(gitDir, journal.indexLock);
    await prepared.commit();
    deps.onStage?.('committed');
    return undefined;
  } catch (error) {
    return isInstalled ? 'broken' : messageOf(error);
  } finally {
    await prepared?.abort();
  }
}

/** The index is new and the branch may not be: it follows at once, or the journal stays for later. */
async function afterBreak(deps: Deps, repository: Repository, commit: NewCommit): Promise<string | undefined> {
  const outcome = await recoverMove(deps, repository, commit);
  if (outcome !== undefined && 'finished' in outcome) return undefined;
  return outcome !== undefined && 'stopped' in outcome ? outcome.stopped : 'git could not move the branch';
}
