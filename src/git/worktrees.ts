// The work trees of a repository, read from its files (gitrepository-layout(5), git-worktree(1)).
// Rule: no git is started, so this may be asked often; a bare repository has none of its own.

import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import { isRefName, parseRefName } from '../lib/names.ts';
import type { RefName } from '../lib/names.ts';
import type { Repository } from './repository.ts';

export interface WorkTree {
  /** `.git`, or `.git/worktrees/<name>`. */
  readonly gitDir: string;
  /** The folder with the files in it; it may be gone. */
  readonly path: string;
  /** The branch that HEAD names, born or not; undefined when detached. */
  readonly branch: RefName | undefined;
}

const SMALL_FILE_BYTES = 64 << 10;

/** All work trees, the main one first. */
export async function workTreesOf(repository: Repository): Promise<WorkTree[]> {
  const main = await mainTree(repository);
  const linked = join(repository.commonDir, 'worktrees');
  const names = await orNothing(readdir(linked), []);
  const trees = await Promise.all(names.map((name) => linkedTree(join(linked, name))));
  return [...(main === undefined ? [] : [main]), ...trees.filter((tree) => tree !== undefined)];
}

/** A short file's text without the last line break, or undefined when it is not there. */
export async function readSmallFile(path: string): Promise<string | undefined> {
  const found = await orNothing(lstat(path), undefined);
  if (found === undefined || !found.isFile() || found.size > SMALL_FILE_BYTES) return undefined;
  const text = await orNothing(readFile(path, 'utf8'), undefined);
  return text?.replace(/\n$/, '');
}

/** Whether anything is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return (await orNothing(lstat(path), undefined)) !== undefined;
}

/** The branch that the HEAD in `gitDir` names. */
export async function headBranch(gitDir: string): Promise<RefName | undefined> {
  const text = await readSmallFile(join(gitDir, 'HEAD'));
  const name = /^ref: *(refs\/.*)$/.exec(text ?? '')?.[1];
  return name !== undefined && isRefName(name) ? parseRefName(name) : undefined;
}

async function mainTree(repository: Repository): Promise<WorkTree | undefined> {
  const { commonDir } = repository;
  const isOpened = repository.gitDir === commonDir;
  const path = isOpened ? repository.workTree : dirname(commonDir);
  if (path === undefined) return undefined;
  if (!isOpened && (basename(commonDir) !== '.git' || !(await exists(join(commonDir, 'index'))))) return undefined;
  return { gitDir: commonDir, path, branch: await headBranch(commonDir) };
}

async function linkedTree(gitDir: string): Promise<WorkTree | undefined> {
  const dotGit = await readSmallFile(join(gitDir, 'gitdir'));
  if (dotGit === undefined) return undefined;
  return { gitDir, path: dirname(dotGit), branch: await headBranch(gitDir) };
}

async function orNothing<T, N>(work: Promise<T>, nothing: N): Promise<T | N> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return nothing;
    throw error;
  }
}
