// A copy of a work tree's index that git may write while the agent holds index.lock (git(1), GIT_INDEX_FILE).
// Rule: the real index changes by one rename, or not at all.

import { copyFile, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import { QUIET_CONFIG } from './environment.ts';
import type { GitPlace } from './environment.ts';
import { unlinkIfThere } from './index-lock.ts';

const NAME = 'xmpp-index';

/** Configuration for every command that writes a work tree: no hook, no watcher, no submodule, one whole index file. */
export const WORK_TREE_CONFIG: Readonly<Record<string, string>> = {
  ...QUIET_CONFIG,
  'core.splitIndex': 'false',
  'submodule.recurse': 'false',
};

/** What the commands of a move need: where they run, and which index they use. */
export interface IndexPlace extends GitPlace {
  readonly config: Readonly<Record<string, string>>;
}

/** The work tree's own index. */
export function realIndex(tree: { readonly path: string; readonly gitDir: string }): IndexPlace {
  return { dir: tree.path, env: { GIT_DIR: tree.gitDir }, config: WORK_TREE_CONFIG };
}

/** A private index named after `purpose`, beside the real one so that a rename can put it in its place. */
export function privateIndex(tree: { readonly path: string; readonly gitDir: string }, purpose = ''): IndexPlace {
  return {
    dir: tree.path,
    env: { GIT_DIR: tree.gitDir, GIT_INDEX_FILE: fileOf(tree.gitDir, purpose) },
    config: WORK_TREE_CONFIG,
  };
}

/**
 * Makes the private index what the real one is; none when there is none yet.
 * It is dated no later than the real one: git takes a file that is not older than its index for perhaps changed since, and looks into
 * it (Documentation/technical/racy-git.txt). Under a newer index a change made in the same moment would pass for none, and be written over.
 */
export async function copyIndex(gitDir: string): Promise<void> {
  await dropPrivateIndex(gitDir);
  try {
    const { mtimeMs } = await stat(join(gitDir, 'index'));
    await copyFile(join(gitDir, 'index'), fileOf(gitDir, ''));
    const second = Math.floor(mtimeMs / 1000);
    await utimes(fileOf(gitDir, ''), second, second);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Puts the private index in the place of the real one. */
export async function installIndex(gitDir: string): Promise<void> {
  await rename(fileOf(gitDir, ''), join(gitDir, 'index'));
}

/** Removes a private index, and the lock of a git that was killed while it wrote it. */
export async function dropPrivateIndex(gitDir: string, purpose = ''): Promise<void> {
  await unlinkIfThere(fileOf(gitDir, purpose));
  await unlinkIfThere(`${fileOf(gitDir, purpose)}.lock`);
}

/** What git holds while it writes the private index. */
export function privateLock(gitDir: string): string {
  return `${fileOf(gitDir, '')}.lock`;
}

function fileOf(gitDir: string, purpose: string): string {
  return join(gitDir, `${NAME}${purpose}`);
}
