// Commits what has changed in a work tree, by itself (docs/decisions/0034-commits-by-itself.md).
// Rule: never while anybody is at work in the repository or has staged anything; the commit is whole before index and branch follow it,
// under git's own locks.

import { messageOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { findBusy } from './busy.ts';
import { isSparse } from './check-move.ts';
import { publishCommit } from './publish-commit.ts';
import type { CommitStage } from './publish-commit.ts';
import { identityOf } from './index-lock.ts';
import { copyIndex, dropPrivateIndex, privateIndex } from './private-index.ts';
import { recoverMove } from './recover.ts';
import type { Repository } from './repository.ts';
import type { StartGit } from './run.ts';
import type { WorkChange, WorkStatus } from './status-format.ts';
import { collectOutput } from './tree-diff.ts';
import { chooseChanges, findLfs, lfsOut, readStatus } from './work-changes.ts';
import type { Chosen, LeftOut, Limits } from './work-changes.ts';
import { exists, headBranch } from './worktrees.ts';

export interface AutoCommitDeps {
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly onStage?: (stage: CommitStage) => void;
}

export interface AutoCommitRequest extends Limits {
  /** Folder of the agent for the journal. */
  readonly stateDir: string;
  readonly message: string;
  /** What keeps git from committing in anybody's name, if anything does. */
  readonly nobody?: string | undefined;
}

/** Why nothing is committed now: `busy` ends by itself, the others wait for a person. */
export interface CommitWaits {
  readonly why: 'busy' | 'staged' | 'detached' | 'gone' | 'emptied' | 'nobody' | 'failed';
  readonly words: string;
}

export type AutoCommitted =
  | { readonly waits: CommitWaits }
  | {
      /** Absent where there was nothing to commit. */
      readonly commit?: { readonly branch: RefName; readonly to: Oid; readonly paths: number };
      readonly leftOut: readonly LeftOut[];
      readonly young: readonly string[];
      /** There is more than went at once. */
      readonly hasMore: boolean;
    };

/** Where a commit is made: the main work tree of a repository. */
interface Place {
  readonly path: string;
  readonly gitDir: string;
  readonly branch: RefName;
}

const ADD_MS = 600_000;
/** Files that git cannot read are left out one by one; with more of them, something else is wrong. */
const MAX_FAILED = 8;

/** Commits what has settled. One at a time in a repository, and no move meanwhile: the caller sees to that. @throws Fault */
export async function autoCommit(deps: AutoCommitDeps, repository: Repository, request: AutoCommitRequest): Promise<AutoCommitted> {
  const place = await findPlace(deps, repository, request);
  if ('words' in place) return { waits: place };
  try {
    const index = await identityOf(`${place.gitDir}/index`);
    await copyIndex(place.gitDir);
    const status = await readStatus(deps.startGit, privateIndex(place));
    const obstacle = obstacleIn(status) ?? (await emptiedWords(deps, place, status));
    if (obstacle !== undefined) return { waits: obstacle };
    const chosen = await chooseChanges(place.path, status, request);
    if (request.nobody !== undefined && chosen.going.length > 0) return { waits: { why: 'nobody', words: request.nobody } };
    const added = await addChanges(deps, place, chosen);
    const { leftOut, tree } = added;
    const rest = { leftOut, young: chosen.young };
    if (tree === undefined || tree === (await treeOf(deps.runGit, place, status.head))) return { ...rest, hasMore: false };
    const to = await commitTree(deps.runGit, place, { tree, parent: status.head, message: request.message });
    const waits = await publishCommit(deps, repository, { ...place, from: status.head, to, index, stateDir: request.stateDir });
    if (waits !== undefined) return { waits: { why: 'busy', words: waits } };
    return { ...rest, hasMore: chosen.hasMore, commit: { branch: place.branch, to, paths: added.count } };
  } finally {
    await dropPrivateIndex(place.gitDir);
  }
}

async function findPlace(deps: AutoCommitDeps, repository: Repository, { stateDir }: AutoCommitRequest): Promise<Place | CommitWaits> {
  const { workTree: path, gitDir, commonDir } = repository;
  if (path === undefined || !(await exists(path)) || !(await exists(gitDir))) return { why: 'gone', words: `${repository.path} is not there` };
  if (gitDir !== commonDir) return { why: 'failed', words: `${path} is a linked work tree: only the main one is committed by itself` };
  if (await isSparse(deps.runGit, { path, gitDir })) return { why: 'failed', words: 'its checkout is sparse, where git itself knows best what belongs to it: git commit -a' };
  const earlier = await recoverMove(deps, repository, { stateDir });
  if (earlier !== undefined && 'stopped' in earlier) return { why: 'busy', words: earlier.stopped };
  const branch = await headBranch(gitDir);
  const busy = await findBusy(repository, branch === undefined ? {} : { branch });
  if (busy !== undefined) return { why: 'busy', words: busy };
  if (branch === undefined) return { why: 'detached', words: 'no branch is checked out: git switch <branch>' };
  return { path, gitDir, branch };
}

function obstacleIn({ staged, unmerged }: WorkStatus): CommitWaits | undefined {
  if (unmerged !== undefined) return { why: 'staged', words: `${unmerged.toString('utf8')} has a conflict: resolve it and commit` };
  if (staged === undefined) return undefined;
  return { why: 'staged', words: `something is staged (${staged.toString('utf8')}): commit it, or run git restore --staged .` };
}

/** A folder where every file is gone, and not only moved, is rather one whose disk is missing than one that nobody wants. */
async function emptiedWords({ startGit }: AutoCommitDeps, place: Place, { changes }: WorkStatus): Promise<CommitWaits | undefined> {
  const count = (wanted: WorkChange['kind']): number => changes.reduce((sum, { kind }) => (kind === wanted ? sum + 1 : sum), 0);
  const gone = count('deleted');
  if (gone <= count('new')) return undefined;
  const listed = await collectOutput(startGit(['ls-files', '-z'], privateIndex(place)), { name: 'git ls-files' });
  const tracked = listed.reduce((count, byte) => (byte === 0 ? count + 1 : count), 0);
  if (tracked > gone) return undefined;
  return { why: 'emptied', words: 'every file is gone: "git restore ." brings them back, "git commit -a" deletes them everywhere' };
}

interface Added {
  /** Absent where there was nothing to add. */
  readonly tree: Oid | undefined;
  readonly count: number;
  readonly leftOut: readonly LeftOut[];
}

/** Takes what was chosen into the private index. What git cannot read is left out. */
async function addChanges(deps: AutoCommitDeps, place: Place, { going, leftOut: known }: Chosen): Promise<Added> {
  const lfs = await findLfs(deps.startGit, privateIndex(place), going);
  const leftOut = [...known, ...[...lfs].map(lfsOut)];
  let rest: readonly WorkChange[] = going.filter((change) => !lfs.has(change));
  while (rest.length > 0) {
    const failed = await updateIndex(deps, place, rest);
    if (failed === undefined) {
      const { stdout } = await deps.runGit(['write-tree'], privateIndex(place));
      return { tree: parseOid(stdout.trim()), count: rest.length, leftOut };
    }
    leftOut.push({ path: failed.path, why: 'failed', words: failed.words });
    const before = rest.length;
    rest = rest.filter(({ path }) => path.toString('utf8') !== failed.path);
    if (rest.length === before || leftOut.length - known.length - lfs.size > MAX_FAILED) throw failed.error;
  }
  return { tree: undefined, count: 0, leftOut };
}

interface Failed {
  readonly path: string;
  readonly words: string;
  readonly error: unknown;
}

/** As `git add` would, filters and line ends included. @returns the file that it could not take, if one stopped it */
async function updateIndex({ startGit }: AutoCommitDeps, place: Place, changes: readonly WorkChange[]): Promise<Failed | undefined> {
  const input = Buffer.concat(changes.flatMap(({ path }) => [path, Buffer.from([0])]));
  const git = startGit(['update-index', '--add', '--remove', '--replace', '-z', '--stdin'], privateIndex(place));
  try {
    await collectOutput(git, { name: 'git update-index', input, deadlineMs: ADD_MS });
    return undefined;
  } catch (error) {
    const said = git.stderrTail();
    const path = /Unable to process path (.+)$/m.exec(said)?.[1] ?? /^fatal: (.+): clean filter '.*' failed$/m.exec(said)?.[1];
    if (path === undefined) throw error;
    return { path, words: `git cannot take it: ${messageOf(error)}`, error };
  }
}

/** The tree of a commit; an empty one is that of an unborn branch. */
async function treeOf(runGit: RunGit, place: Place, commit: Oid | undefined): Promise<string> {
  const args = commit === undefined ? ['hash-object', '-t', 'tree', '--stdin'] : ['rev-parse', '--verify', `${commit}^{tree}`];
  return (await runGit(args, privateIndex(place))).stdout.trim();
}

async function commitTree(
  runGit: RunGit,
  place: Place,
  { tree, parent, message }: { readonly tree: Oid; readonly parent: Oid | undefined; readonly message: string },
): Promise<Oid> {
  const { config, ...where } = privateIndex(place);
  const args = ['commit-tree', '--no-gpg-sign', ...(parent === undefined ? [] : ['-p', parent]), tree];
  const { stdout } = await runGit(args, { ...where, config: { ...config, 'i18n.commitEncoding': 'UTF-8' }, input: `${message}\n` });
  return parseOid(stdout.trim());
}
