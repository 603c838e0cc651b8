// Whether something lies where a new file would be written.
// Rule: git overwrites ignored files without a word, so every added path is looked at here; what git does not track stays.

import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { codeOf } from '../lib/errors.ts';
import type { TreeChange } from './tree-diff.ts';

/** The first path, untracked or ignored, that is in the way of `changes` in the folder `root`. */
export async function findObstacle(root: string, changes: readonly TreeChange[]): Promise<string | undefined> {
  const gone = new Set(changes.filter((change) => change.kind === 'deleted').map((change) => keyOf(change.path)));
  const folders = new Map<string, boolean>();
  for (const change of changes) {
    if (change.kind !== 'added') continue;
    const found = await obstacleAt(root, change.path, { gone, folders });
    if (found !== undefined) return found.toString('utf8');
  }
  return undefined;
}

/** A path as a map key: one character a byte. */
export function keyOf(path: Buffer): string {
  return path.toString('latin1');
}

/** `path` below `root`, as bytes. */
export function below(root: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), path]);
}

/** What is known of the folders on the way; `folders` is filled as it goes. */
export interface WayKnown {
  /** Tracked paths that the move removes. */
  readonly gone: ReadonlySet<string>;
  /** Folders on the way: true when there, false when nothing is there. */
  readonly folders: Map<string, boolean>;
}

/** What lies at or on the way to `path`, unless the move takes it away. */
export async function obstacleAt(root: string, path: Buffer, known: WayKnown): Promise<Buffer | undefined> {
  for (let slash = path.indexOf(0x2f); slash >= 0; slash = path.indexOf(0x2f, slash + 1)) {
    const prefix = path.subarray(0, slash);
    const isThere = known.folders.get(keyOf(prefix)) ?? (await isFolder(root, prefix));
    if (isThere === undefined) return known.gone.has(keyOf(prefix)) ? undefined : prefix;
    known.folders.set(keyOf(prefix), isThere);
    if (!isThere) return undefined;
  }
  return obstacleInPlace(root, path, known.gone);
}

/** True for a folder, false for nothing, undefined for anything else (a link to a folder too). */
async function isFolder(root: string, path: Buffer): Promise<boolean | undefined> {
  const stats = await lstatOrNothing(below(root, path));
  if (stats === undefined) return false;
  return stats.isDirectory() ? true : undefined;
}

/** A folder may give way to a file when all that is in it is tracked and goes. */
async function obstacleInPlace(root: string, path: Buffer, gone: ReadonlySet<string>): Promise<Buffer | undefined> {
  const stats = await lstatOrNothing(below(root, path));
  if (stats === undefined) return undefined;
  if (!stats.isDirectory()) return gone.has(keyOf(path)) ? undefined : path;
  for (const name of await readdir(below(root, path), { encoding: 'buffer' })) {
    const inside = await obstacleInPlace(root, Buffer.concat([path, Buffer.from('/'), name]), gone);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** What is at `path`, links not followed. */
export async function lstatOrNothing(path: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
