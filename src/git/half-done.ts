// What a move that was cut short has left in the work tree (docs/decisions/0012-the-agent-holds-the-index-lock.md).
// Rule: old content, new content, a beginning of the new, or nothing counts as ours; everything else is somebody's work.

import { readFile } from 'node:fs/promises';
import type { IndexPlace } from './private-index.ts';
import { dropPrivateIndex, privateIndex } from './private-index.ts';
import { below, keyOf, lstatOrNothing, obstacleAt } from './obstacle.ts';
import type { StartGit } from './run.ts';
import { collectOutput, GITLINK, splitNul } from './tree-diff.ts';
import type { TreeChange } from './tree-diff.ts';

export interface HalfDone {
  /** Tracked files that are still there as they were, and go. */
  readonly toRemove: readonly TreeChange[];
  /** Files that are not yet what they will be. */
  readonly toWrite: readonly TreeChange[];
  /** Files that the move has added, or begun to add. */
  readonly toTakeAway: readonly TreeChange[];
  /** Files that the move has changed, removed, or begun to change. */
  readonly toPutBack: readonly TreeChange[];
  /** Whether the move has changed anything at all. */
  readonly isTouched: boolean;
  /** The first path that is somebody's work. */
  readonly foreign: string | undefined;
}

interface Tree {
  readonly path: string;
  readonly gitDir: string;
}

/** `write` is as it was before; `rewrite` is absent where it was, or begun. */
type State = 'index-only' | 'done' | 'remove' | 'write' | 'rewrite' | { readonly foreign: Buffer };

/** Looks at every path of `changes` in the work tree. Changes nothing. */
export async function lookAtHalfDone(startGit: StartGit, tree: Tree, changes: readonly TreeChange[]): Promise<HalfDone> {
  const unlikeOld = await unlike(startGit, tree, { side: 'old', changes });
  const unlikeNew = await unlike(startGit, tree, { side: 'new', changes });
  const known = {
    gone: new Set(changes.filter((change) => change.kind === 'deleted').map((change) => keyOf(change.path))),
    folders: new Map<string, boolean>(),
  };
  const toRemove: TreeChange[] = [];
  const toWrite: TreeChange[] = [];
  const toTakeAway: TreeChange[] = [];
  const toPutBack: TreeChange[] = [];
  let foreign: string | undefined;
  for (const change of changes) {
    const state = await stateOf(startGit, tree, { change, unlikeOld, unlikeNew, known });
    if (typeof state === 'object') foreign ??= state.foreign.toString('utf8');
    if (state === 'done' || state === 'rewrite') (change.kind === 'added' ? toTakeAway : toPutBack).push(change);
    if (state === 'remove') toRemove.push(change);
    if (state === 'write' || state === 'rewrite') toWrite.push(change);
  }
  return { toRemove, toWrite, toTakeAway, toPutBack, isTouched: toTakeAway.length + toPutBack.length > 0, foreign };
}

interface Look {
  readonly change: TreeChange;
  readonly unlikeOld: ReadonlySet<string>;
  readonly unlikeNew: ReadonlySet<string>;
  readonly known: Parameters<typeof obstacleAt>[2];
}

async function stateOf(startGit: StartGit, tree: Tree, { change, unlikeOld, unlikeNew, known }: Look): Promise<State> {
  const key = keyOf(change.path);
  if (change.kind === 'deleted') {
    if (change.oldMode === GITLINK) return 'index-only';
    if (!unlikeOld.has(key)) return 'remove';
    const stats = await lstatOrNothing(below(tree.path, change.path));
    return stats === undefined || stats.isDirectory() ? 'done' : { foreign: change.path };
  }
  if (change.newMode === GITLINK) return 'index-only';
  if (!unlikeNew.has(key)) return 'done';
  if (change.kind === 'changed' && !unlikeOld.has(key)) return 'write';
  const obstacle = await obstacleAt(tree.path, change.path, known);
  if (obstacle === undefined) return change.kind === 'added' ? 'write' : 'rewrite';
  const isBegun = obstacle.equals(change.path) && (await isBeginning(startGit, tree, change));
  return isBegun ? 'rewrite' : { foreign: obstacle };
}

/** Paths whose file is not what one side of the changes says. */
async function unlike(
  startGit: StartGit,
  tree: Tree,
  asked: { readonly side: 'old' | 'new'; readonly changes: readonly TreeChange[] },
): Promise<Set<string>> {
  const place = privateIndex(tree, `-${asked.side}`);
  const entries = asked.changes.flatMap((change) => {
    const [mode, oid] = asked.side === 'old' ? [change.oldMode, change.oldOid] : [change.newMode, change.newOid];
    return mode === '000000' || mode === GITLINK ? [] : [formatEntry(mode, oid, change.path)];
  });
  await dropPrivateIndex(tree.gitDir, `-${asked.side}`);
  try {
    await writeEntries(startGit, place, entries);
    await collectOutput(startGit(['update-index', '-q', '--really-refresh'], place), {
      name: 'git update-index',
      okCodes: [0, 1],
    });
    const output = await collectOutput(startGit(['diff-files', '-z', '--name-only'], place), { name: 'git diff-files' });
    return new Set(splitNul(output).map(keyOf));
  } finally {
    await dropPrivateIndex(tree.gitDir, `-${asked.side}`);
  }
}

/** Puts entries into an index (git-update-index(1), "--index-info"). */
export async function writeEntries(startGit: StartGit, place: IndexPlace, entries: readonly Buffer[]): Promise<void> {
  const process = startGit(['update-index', '--add', '--replace', '-z', '--index-info'], place);
  await collectOutput(process, { name: 'git update-index', input: Buffer.concat(entries) });
}

/** One entry for `writeEntries`; mode 0 takes the path out. */
export function formatEntry(mode: string, oid: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${mode === '000000' ? '0' : mode} ${oid}\t`), path, Buffer.from([0])]);
}

/** Whether the file holds the first bytes of what it is to become. */
async function isBeginning(startGit: StartGit, tree: Tree, change: TreeChange): Promise<boolean> {
  const file = below(tree.path, change.path);
  const stats = await lstatOrNothing(file);
  if (stats?.isFile() !== true) return false;
  const args = ['cat-file', '--filters', `--path=${change.path.toString('utf8')}`, change.newOid];
  const wanted = await collectOutput(startGit(args, privateIndex(tree)), { name: 'git cat-file' });
  const content = stats.size > wanted.length ? undefined : await readFile(file);
  return content !== undefined && wanted.subarray(0, content.length).equals(content);
}
