// After a crash in the middle of a move: finish it, undo it where somebody has gone on since, or stop and name what is in the way
// (docs/decisions/0012-the-agent-holds-the-index-lock.md, docs/decisions/0035-a-move-that-cannot-be-finished-is-undone.md).
// Rule: only the agent's own locks are removed, and no content that is neither old nor new is touched.

import { join } from 'node:path';
import { realClock } from '../lib/clock.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { formatEntry, lookAtHalfDone, writeEntries } from './half-done.ts';
import type { HalfDone } from './half-done.ts';
import { dropIndexLock, identityOf, takeIndexLock } from './index-lock.ts';
import { journalPath, readJournal, removeJournal, writeJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { copyIndex, dropPrivateIndex, installIndex, privateIndex, realIndex } from './private-index.ts';
import { REFLOG_MARK } from './reflog.ts';
import { dropRefLocks } from './ref-locks.ts';
import { updateRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import type { StartGit } from './run.ts';
import { isStillWriting } from './still-writing.ts';
import { collectOutput, diffTrees, treeOrEmpty } from './tree-diff.ts';
import type { TreeChange } from './tree-diff.ts';
import { dropStaged, removeFile, undoMove } from './undo-move.ts';
import { headBranch } from './worktrees.ts';

export interface RecoverDeps {
  readonly runGit: RunGit;
  readonly startGit: StartGit;
}

/** `undone`: files, index and branch are as before the move, but for what somebody has changed since. */
export type Recovered = undefined | { readonly finished: RefName } | { readonly undone: RefName } | { readonly stopped: string };

/** The move was let through the limits once. */
const NO_LIMITS = { paths: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };

/**
 * Ends what a crash has left half done in `repository`.
 * @returns undefined when there was nothing, or nothing of it had reached the work tree; `stopped` says in words why a person
 * must look, and asking again later tries again
 */
export async function recoverMove(
  deps: RecoverDeps,
  repository: Repository,
  options: { readonly stateDir: string },
): Promise<Recovered> {
  const file = journalPath(options.stateDir, repository.commonDir);
  const journal = await readJournal(file);
  if (journal === undefined) return undefined;
  await dropRefLocks(repository.commonDir, journal);
  try {
    const outcome = await settle(deps, journal, file);
    if (outcome !== undefined && 'stopped' in outcome) await unlock(file, journal);
    else await tidy(file, (await readJournal(file)) ?? journal);
    return outcome;
  } catch (error) {
    await unlock(file, journal);
    return { stopped: `an unfinished move of ${journal.branch} in ${journal.path} could not be finished: ${messageOf(error)}` };
  }
}

/** A person who must look can only do something when git is free; the journal stays. Finishing may have taken a new lock. */
async function unlock(file: string, journal: Journal): Promise<void> {
  const { gitDir, indexLock } = (await readJournal(file)) ?? journal;
  await dropIndexLock(gitDir, indexLock);
}

/** Removes what a move keeps beside the index; the journal last, for it alone knows the locks. */
export async function tidy(file: string, journal: Pick<Journal, 'gitDir' | 'indexLock'>): Promise<void> {
  await dropPrivateIndex(journal.gitDir);
  await dropStaged(journal.gitDir);
  await dropIndexLock(journal.gitDir, journal.indexLock);
  await removeJournal(file);
}

async function settle(deps: RecoverDeps, journal: Journal, file: string): Promise<Recovered> {
  const tip = await tipOf(deps, journal);
  if (tip === journal.to) return { finished: journal.branch };
  if (!(await isUnmoved(tip, journal))) return undefined;
  if (journal.kind === 'commit') return (await isIndexAt(deps, journal, journal.to)) ? finishBranch(deps, journal) : undefined;
  const from = await treeOrEmpty(deps.runGit, realIndex(journal), journal.from);
  const diff = await diffTrees(deps.startGit, realIndex(journal), { from, to: journal.to, limits: NO_LIMITS });
  if ('over' in diff) throw new Fault('internal', diff.over);
  // Asked first: a git that ended while the files were looked at has changed them since.
  const isWriting = await isStillWriting(journal.gitDir, realClock.now());
  const half = await lookAtHalfDone(deps.startGit, journal, diff.changes);
  if (await isIndexAt(deps, journal, from)) {
    if (half.isTouched && half.foreign === undefined) return finish(deps, await relock(journal, file), { half, changes: diff.changes });
    if (isWriting) throw new Fault('git', 'git is still writing its files');
    return half.isTouched ? undo(deps, await relock(journal, file), { half, changes: diff.changes, from }) : undefined;
  }
  const isInstalled = await isIndexAt(deps, journal, journal.to);
  if (half.foreign === undefined) {
    if (!isInstalled) return { stopped: `${stoppedAt(journal, 'the index')} (something is staged)` };
    return finish(deps, await relock(journal, file), { half, changes: diff.changes });
  }
  // The index came after the last file: what differs was changed later, as any file may be.
  return isInstalled ? finishBranch(deps, journal) : { stopped: stoppedAt(journal, half.foreign) };
}

/** The commit of the branch; empty when it is unborn. */
async function tipOf(deps: RecoverDeps, journal: Journal): Promise<string> {
  const { stdout } = await deps.runGit(['rev-parse', '-q', '--verify', `${journal.branch}^0`], {
    ...realIndex(journal),
    okCodes: [0, 1, 128],
  });
  return stdout.trim();
}

async function isUnmoved(tip: string, journal: Journal): Promise<boolean> {
  return tip === (journal.from ?? '') && (await headBranch(journal.gitDir)) === journal.branch;
}

function stoppedAt(journal: Journal, what: string): string {
  const move = `a move of ${journal.branch} in ${journal.path}`;
  return `${move} was cut short, and ${what} has been changed since: commit it, or put it back`;
}

async function isIndexAt(deps: RecoverDeps, journal: Journal, tree: string): Promise<boolean> {
  const { exitCode } = await deps.runGit(['diff-index', '--cached', '--quiet', tree], { ...realIndex(journal), okCodes: [0, 1] });
  return exitCode === 0;
}

/** The journal with a lock that is ours: the one that was left, or a new one. */
async function relock(journal: Journal, file: string): Promise<Journal> {
  if ((await identityOf(join(journal.gitDir, 'index.lock'))) === journal.indexLock) return journal;
  let mine = journal;
  const isLocked = await takeIndexLock(journal.gitDir, async (indexLock) => {
    mine = { ...journal, indexLock };
    await writeJournal(file, mine, { isDurable: true });
  });
  if (!isLocked) throw new Fault('git', 'git is at work on the index');
  return mine;
}

interface Unfinished {
  readonly half: HalfDone;
  readonly changes: readonly TreeChange[];
}

async function finish(deps: RecoverDeps, journal: Journal, { half, changes }: Unfinished): Promise<Recovered> {
  const place = privateIndex(journal);
  await copyIndex(journal.gitDir);
  await writeEntries(
    deps.startGit,
    place,
    changes.map((change) => formatEntry(change.newMode, change.newOid, change.path)),
  );
  for (const change of half.toRemove) await removeFile(journal.path, change.path);
  const input = Buffer.concat(half.toWrite.flatMap((change) => [change.path, Buffer.from([0])]));
  await collectOutput(deps.startGit(['checkout-index', '-f', '-u', '-z', '--stdin'], place), {
    name: 'git checkout-index',
    input,
  });
  await collectOutput(deps.startGit(['update-index', '-q', '--refresh'], place), { name: 'git update-index', okCodes: [0, 1] });
  await installIndex(journal.gitDir);
  return finishBranch(deps, journal);
}

/** Somebody's work is among the files: everything else goes back. What was seen is looked at again, now that git must wait. */
async function undo(deps: RecoverDeps, journal: Journal, { from, ...unfinished }: Unfinished & { readonly from: Oid }): Promise<Recovered> {
  const isAsSeen = (await isUnmoved(await tipOf(deps, journal), journal)) && (await isIndexAt(deps, journal, from));
  if (!isAsSeen) throw new Fault('git', 'git was at work on the index');
  const obstacle = await undoMove(deps.startGit, journal, unfinished);
  return obstacle === undefined ? { undone: journal.branch } : { stopped: stoppedAt(journal, obstacle) };
}

/** Files and index are new already. */
async function finishBranch(deps: RecoverDeps, journal: Journal): Promise<Recovered> {
  const update = { ref: journal.branch, from: journal.from, to: journal.to };
  const moved = await updateRefs(deps.runGit, journal, [update], { message: `${REFLOG_MARK}finish a move that was cut short` });
  if (moved === 'lost-race') throw new Fault('git', `${journal.branch} is locked or has moved`);
  return { finished: journal.branch };
}
