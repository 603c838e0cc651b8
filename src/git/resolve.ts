// The tree of a merge that git could not finish: git's own tree with every conflicted path decided by variants.ts (git-update-index(1)).
// Rule: built on an index that nobody else sees; only what the conflict touches is held in memory.

import { unlink } from 'node:fs/promises';
import { codeOf, Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { IsolatedPlace } from './isolated.ts';
import type { Entry, MergeTree } from './merge-tree-format.ts';
import type { StartGit } from './run.ts';
import { fieldsOf, mustSucceed } from './tree-diff.ts';
import { foldersOf, plainPath, resolveConflicts } from './variants.ts';
import type { Conflicted, Sides } from './variants.ts';

const ENTRY = /^(\d{6}) (?:blob|commit) ([0-9a-f]+)\t([^]+)$/;
/** Paths that are held in memory at once. */
const MAX_LISTED = 200_000;

export interface ResolveDeps {
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly place: IsolatedPlace;
  /** For the index; removed afterwards. */
  readonly indexFile: string;
}

/** @param merge.labels the two commits, as git was given them @returns the tree without conflicts. @throws Fault `git`, `too-large` */
export async function resolvedTree(deps: ResolveDeps, merge: { readonly found: MergeTree; readonly labels: readonly [string, string]; readonly sides: Sides }): Promise<Oid> {
  const { found, labels, sides } = merge;
  const conflicted: Conflicted = { ...found, labels, sides };
  const { removed, placed } = resolveConflicts(conflicted, await listOthers(deps, conflicted, found.tree));
  const none = '0'.repeat(found.tree.length);
  const lines = [
    ...removed.map((path) => `0 ${none}\t${path}\0`),
    ...[...placed].map(([path, { mode, oid }]) => `${mode} ${oid} 0\t${path}\0`),
  ];
  const { runGit, place, indexFile } = deps;
  const own = { ...place, env: { ...place.env, GIT_INDEX_FILE: indexFile } };
  try {
    await runGit(['read-tree', '--empty'], own);
    await runGit(['read-tree', found.tree], own);
    await runGit(['update-index', '-z', '--index-info'], { ...own, input: Buffer.from(lines.join(''), 'latin1') });
    return parseOid((await runGit(['write-tree'], own)).stdout.trim());
  } finally {
    await unlink(indexFile).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

/** What the tree has below conflicted paths, and all variants in it; a conflicted path itself is none of the others. */
async function listOthers({ startGit, place }: ResolveDeps, { stages, labels }: Conflicted, tree: Oid): Promise<ReadonlyMap<string, Entry>> {
  const conflictedPaths = new Set(stages.map(({ path }) => path));
  const names = new Set(stages.map(({ path }) => plainPath(path, labels)));
  const others = new Map<string, Entry>();
  const git = startGit(['ls-tree', '-r', '-z', '--full-tree', tree], place);
  for await (const field of fieldsOf(git)) {
    const [, mode, oid, path] = ENTRY.exec(field.toString('latin1')) ?? [];
    if (mode === undefined || oid === undefined || path === undefined) throw new Fault('git', 'git ls-tree answered something else');
    if (conflictedPaths.has(path)) continue;
    if (path.includes('.variant-') || names.has(path) || foldersOf(path).some((folder) => names.has(folder))) others.set(path, { mode, oid: parseOid(oid) });
    if (others.size > MAX_LISTED) throw new Fault('too-large', `a conflict touches more than ${MAX_LISTED} files`);
  }
  await mustSucceed(git, 'git ls-tree');
  return others;
}
