// The one way in which a branch moves by itself (docs/decisions/0012-the-agent-holds-the-index-lock.md).
// Rule: what is checked out moves only while branch, HEAD and index are locked and nothing of anybody's is in reach;
// else it waits, in words.

import { Fault, messageOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findBusy } from './busy.ts';
import { checkMove } from './check-move.ts';
import { dropIndexLock, takeIndexLock } from './index-lock.ts';
import { journalPath, writeJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { ObjectReader } from './object-reader.ts';
import { copyIndex, installIndex, privateIndex, realIndex } from './private-index.ts';
import { recoverMove, tidy } from './recover.ts';
import { REFLOG_MARK } from './reflog.ts';
import { dropLocksOfKilled, findRefLocks } from './ref-locks.ts';
import { startUpdate } from './ref-transaction.ts';
import type { PreparedUpdate, UpdateProcess } from './ref-transaction.ts';
import { updateRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import type { StartGit } from './run.ts';
import { diffTrees, treeOrEmpty } from './tree-diff.ts';
import type { TreeLimits } from './tree-diff.ts';
import { exists, workTreesOf } from './worktrees.ts';
import type { WorkTree } from './worktrees.ts';

/** How far a move has come; specs stop the process there. */
export type MoveStage = 'journalled' | 'locked' | 'prepared' | 'noted' | 'checked' | 'written' | 'installed' | 'committed';

export interface MoveDeps {
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  /** Saves processes, where there is one. */
  readonly objects?: ObjectReader;
  readonly onStage?: (stage: MoveStage) => void;
}

export interface MoveRequest {
  readonly branch: RefName;
  /** Where it is; absent when it is not there or unborn. */
  readonly from: Oid | undefined;
  readonly to: Oid;
  /** Folder of the agent for the journal. */
  readonly stateDir: string;
  readonly limits: TreeLimits;
  /** For the reflog, after `xmpp: `. */
  readonly message?: string;
  /** Files and index only: git receive-pack moves the ref itself after `push-to-checkout`. */
  readonly isRefLeft?: boolean;
}

export type Moved = { readonly moved: true } | { readonly waits: string };

const LOST_RACE: Moved = { waits: 'the branch was moved, or is locked, by somebody else' };
const READ_TREE_MS = 600_000;

/**
 * Moves a branch, with its files where it is checked out. One move at a time in a repository: the caller sees to that.
 * @returns `waits` with the reason when nothing has changed
 */
export async function moveBranch(deps: MoveDeps, repository: Repository, request: MoveRequest): Promise<Moved> {
  const earlier = await recoverMove(deps, repository, request);
  if (earlier !== undefined && 'stopped' in earlier) return { waits: earlier.stopped };
  const trees = (await workTreesOf(repository)).filter((tree) => tree.branch === request.branch);
  const [tree] = trees;
  if (tree === undefined) return moveRefAlone(deps, repository, request);
  if (trees.length > 1) return { waits: `it is checked out twice, in ${trees.map((one) => one.path).join(' and ')}` };
  return moveWithFiles(deps, repository, { request, tree });
}

async function moveRefAlone(deps: MoveDeps, repository: Repository, { branch, from, to, message }: MoveRequest): Promise<Moved> {
  const busy = await findBusy(repository, { branch });
  if (busy !== undefined) return { waits: busy };
  const done = await updateRefs(deps.runGit, repository, [{ ref: branch, from, to }], { message: messageFor(message) });
  return done === 'done' ? { moved: true } : LOST_RACE;
}

interface Move {
  readonly request: MoveRequest;
  readonly tree: WorkTree;
}

async function moveWithFiles(deps: MoveDeps, repository: Repository, { request, tree }: Move): Promise<Moved> {
  if (!(await exists(tree.path))) return { waits: `its folder ${tree.path} is not there` };
  const place = realIndex(tree);
  const from = await treeOrEmpty(deps.runGit, place, request.from);
  const message = messageFor(request.message);
  const diffing = diffTrees(deps.startGit, place, { from, to: request.to, limits: request.limits, objects: deps.objects });
  // Where no process can be started at all, what follows says so.
  diffing.catch(() => undefined);
  // Started now, asked under the lock: starting is what takes the time. The comparison goes first, for that is waited for first.
  const update = startUpdate(deps.startGit, place, message);
  try {
    return await lockAndMove(deps, repository, { request, tree, from, update, diffing });
  } finally {
    update.end();
  }
}

interface StartedMove extends Move {
  readonly from: Oid;
  readonly update: UpdateProcess;
  readonly diffing: ReturnType<typeof diffTrees>;
}

async function lockAndMove(deps: MoveDeps, repository: Repository, move: StartedMove): Promise<Moved> {
  const { request, tree, diffing } = move;
  const { branch, from: tip, to } = request;
  const file = journalPath(request.stateDir, repository.commonDir);
  let journal: Journal = { path: tree.path, gitDir: tree.gitDir, branch, from: tip, to, indexLock: '0', refLocks: [] };
  // The disk writes the journal while git compares; nothing is locked before both are done.
  const locking = takeIndexLock(tree.gitDir, async (indexLock) => {
    journal = { ...journal, indexLock };
    // A comparison that fails is told below, once the journal is written and can be taken away.
    const [written] = await Promise.allSettled([writeJournal(file, journal, { isDurable: true }), diffing]);
    if (written.status === 'rejected') throw written.reason;
    deps.onStage?.('journalled');
  });
  const [diff, isLocked] = await Promise.all([diffing, locking]).catch(async (error: unknown) => {
    await Promise.allSettled([locking]);
    await tidy(file, journal);
    throw error;
  });
  if ('over' in diff || !isLocked) {
    const busy = isLocked ? undefined : await findBusy(repository, { branch });
    await tidy(file, journal);
    if ('over' in diff) return { waits: `${diff.over}: look at it, then run git merge --ff-only ${to}` };
    return { waits: busy ?? 'git is at work on the index' };
  }
  deps.onStage?.('locked');
  const outcome = await underLock(deps, repository, { ...move, file, journal, changes: diff.changes });
  if (outcome !== 'broken') {
    await dropLocksOfKilled(repository.commonDir, move.update, { file, journal });
    await tidy(file, journal);
  }
  return outcome === 'broken' ? afterBreak(deps, repository, request) : outcome;
}

interface LockedMove extends StartedMove {
  readonly file: string;
  readonly journal: Journal;
  readonly changes: Parameters<typeof checkMove>[2]['changes'];
}

/** Everything while the index is locked; `broken` when the work tree may be half new. */
async function underLock(deps: MoveDeps, repository: Repository, move: LockedMove): Promise<Moved | 'broken'> {
  const { request, tree, journal } = move;
  const update = { ref: request.branch, from: request.from, to: request.to };
  let prepared: PreparedUpdate | undefined;
  let isWriting = false;
  try {
    prepared = await move.update.prepare(update);
    if (prepared === undefined) return LOST_RACE;
    deps.onStage?.('prepared');
    const refLocks = await findRefLocks(repository.commonDir, journal);
    await writeJournal(move.file, { ...journal, refLocks }, { isDurable: false });
    deps.onStage?.('noted');
    await copyIndex(tree.gitDir);
    const why = await checkMove(deps, repository, { ...request, tree, fromTree: move.from, changes: move.changes });
    if (why !== undefined) return { waits: why };
    deps.onStage?.('checked');
    isWriting = true;
    await write(deps, move, prepared);
    return { moved: true };
  } catch (error) {
    if (!isWriting) return { waits: messageOf(error) };
    return 'broken';
  } finally {
    await prepared?.abort();
  }
}

async function write(deps: MoveDeps, { request, tree, from, journal }: LockedMove, prepared: PreparedUpdate): Promise<void> {
  const args = ['read-tree', '--no-recurse-submodules', '-m', '-u', from, request.to];
  await deps.runGit(args, { ...privateIndex(tree), deadlineMs: READ_TREE_MS });
  deps.onStage?.('written');
  await installIndex(tree.gitDir);
  deps.onStage?.('installed');
  // The moved branch is the first thing that anybody sees: whoever then runs git at once must not meet our lock.
  await dropIndexLock(tree.gitDir, journal.indexLock);
  if (request.isRefLeft === true) await prepared.abort();
  else await prepared.commit();
  deps.onStage?.('committed');
}

/** git failed while it wrote: finish what can be finished at once, or keep the journal and wait. */
async function afterBreak(deps: MoveDeps, repository: Repository, request: MoveRequest): Promise<Moved> {
  const outcome = await recoverMove(deps, repository, request);
  if (outcome === undefined) return { waits: 'git could not write the files' };
  if ('finished' in outcome) return { moved: true };
  return { waits: 'stopped' in outcome ? outcome.stopped : 'a file was changed while git wrote the files: they were put back' };
}

function messageFor(message: string | undefined): string {
  if (message !== undefined && /[\0\n]/.test(message)) throw new Fault('internal', 'a reflog message is one line');
  return `${REFLOG_MARK}${message ?? 'fast-forward'}`;
}
