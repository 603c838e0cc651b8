// Undoes a move that was cut short and cannot be finished (docs/decisions/0035-a-move-that-cannot-be-finished-is-undone.md).
// Rule: old content comes to its place by one rename, so a second crash leaves only what a first one may: old, new, a beginning of the new, or nothing.

import { mkdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, Fault } from '../lib/errors.ts';
import { lookAtHalfDone } from './half-done.ts';
import type { HalfDone } from './half-done.ts';
import { below, keyOf, lstatOrNothing, obstacleAt } from './obstacle.ts';
import { realIndex } from './private-index.ts';
import type { StartGit } from './run.ts';
import { collectOutput } from './tree-diff.ts';
import type { TreeChange } from './tree-diff.ts';

const STAGE = 'xmpp-undo';

interface Tree {
  readonly path: string;
  readonly gitDir: string;
}

/**
 * Takes back what the move has done; what is somebody's is not touched. The index must be the old one, and locked: it stays as it is, for git
 * looks into a file that is not the one it noted.
 * @param half what was found before the lock was taken
 * @returns the path that is in the way of old content, when nothing was changed
 */
export async function undoMove(
  startGit: StartGit,
  tree: Tree,
  { half, changes }: { readonly half: HalfDone; readonly changes: readonly TreeChange[] },
): Promise<string | undefined> {
  await dropStaged(tree.gitDir);
  try {
    await stage(startGit, tree, half.toPutBack);
    // Once more, for writing the old content has taken time. A program may write on even now: so each file is what was looked at, or nothing goes on.
    const stamps = new Map<string, string>();
    for (const { path } of [...half.toTakeAway, ...half.toPutBack]) stamps.set(keyOf(path), await stampOf(tree, path));
    const { toTakeAway, toPutBack } = await lookAtHalfDone(startGit, tree, changes);
    const known = { gone: new Set([...toTakeAway, ...toPutBack].map(({ path }) => keyOf(path))), folders: new Map<string, boolean>() };
    for (const { path } of toPutBack) {
      const obstacle = await obstacleAt(tree.path, path, known);
      if (obstacle !== undefined) return obstacle.toString('utf8');
    }
    const mustBeSame = async (path: Buffer): Promise<void> => {
      if ((await stampOf(tree, path)) !== stamps.get(keyOf(path))) throw new Fault('git', `${path.toString('utf8')} was changed just now`);
    };
    for (const { path } of toTakeAway) {
      await mustBeSame(path);
      await removeFile(tree.path, path);
    }
    for (const { path } of toPutBack) {
      await mustBeSame(path);
      await putBack(tree, path);
    }
    return undefined;
  } finally {
    await dropStaged(tree.gitDir);
  }
}

/** Removes what an undoing keeps beside the index. */
export async function dropStaged(gitDir: string): Promise<void> {
  await rm(join(gitDir, STAGE), { recursive: true, force: true });
}

/** Removes a tracked file, and the folders that hold nothing then, as git does. */
export async function removeFile(root: string, path: Buffer): Promise<void> {
  await unlink(below(root, path));
  for (let slash = path.lastIndexOf(0x2f); slash > 0; slash = path.lastIndexOf(0x2f, slash - 1)) {
    try {
      await rmdir(below(root, path.subarray(0, slash)));
    } catch {
      return;
    }
  }
}

/** Which file is there and when it was last changed; empty for none, and for a folder. */
async function stampOf(tree: Tree, path: Buffer): Promise<string> {
  const stats = await lstatOrNothing(below(tree.path, path));
  return stats === undefined || stats.isDirectory() ? '' : [stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(' ');
}

/** Writes what the index says beside the work tree, with filters and modes as git would have it in its place (git-checkout-index(1), "--prefix"). */
async function stage(startGit: StartGit, tree: Tree, changes: readonly TreeChange[]): Promise<void> {
  const input = Buffer.concat(changes.flatMap(({ path }) => [path, Buffer.from([0])]));
  const args = ['checkout-index', '-f', '-z', '--stdin', `--prefix=${join(tree.gitDir, STAGE)}/`];
  await collectOutput(startGit(args, realIndex(tree)), { name: 'git checkout-index', input });
}

async function putBack(tree: Tree, path: Buffer): Promise<void> {
  const place = below(tree.path, path);
  const slash = path.lastIndexOf(0x2f);
  if (slash > 0) await mkdir(below(tree.path, path.subarray(0, slash)), { recursive: true });
  await removeEmptyFolder(place);
  await rename(below(join(tree.gitDir, STAGE), path), place);
}

async function removeEmptyFolder(path: Buffer): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
  }
}
