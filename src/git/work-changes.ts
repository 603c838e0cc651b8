// What of a work tree's changes may be committed by itself, and what is left out, by name and reason
// (docs/decisions/0034-commits-by-itself.md). Rule: git says what has changed; what is still being written, or would not come back as it is,
// is not committed.

import type { Stats } from 'node:fs';
import { lookAtFiles } from './look.ts';
import type { IndexPlace } from './private-index.ts';
import type { StartGit } from './run.ts';
import { parseStatus } from './status-format.ts';
import type { WorkChange, WorkStatus } from './status-format.ts';
import { collectOutput, splitNul } from './tree-diff.ts';

/** Why something in the work tree is not committed. */
export interface LeftOut {
  readonly path: string;
  readonly why: 'large' | 'nested' | 'lfs' | 'special' | 'failed';
  /** What a person reads, without the path. */
  readonly words: string;
}

export interface Limits {
  /** A larger file is left out. */
  readonly maxBytes: number;
  /** A file that nobody has told of must not have changed for so long, in ms. */
  readonly delayMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether a path has settled; undefined where nobody knows. */
  readonly mayGo: (path: string) => boolean | undefined;
}

export interface Chosen {
  readonly going: readonly WorkChange[];
  readonly leftOut: readonly LeftOut[];
  /** Changed a moment ago, and not known before. */
  readonly young: readonly string[];
  /** There is more than goes at once. */
  readonly hasMore: boolean;
}

/** What one commit takes at most. */
const MAX_PATHS = 50_000;
const MAX_BYTES = 512 * 2 ** 20;
const STATUS = ['status', '--porcelain=v2', '-z', '--branch', '--untracked-files=all', '--no-renames', '--ignore-submodules=all'];

/** What differs in the work tree from the private index at `place`, which learns on the way which files only looked changed. @throws Fault `git` */
export async function readStatus(startGit: StartGit, place: IndexPlace): Promise<WorkStatus> {
  const git = startGit(STATUS, { ...place, env: { ...place.env, GIT_OPTIONAL_LOCKS: '1' } });
  return parseStatus(splitNul(await collectOutput(git, { name: 'git status' })));
}

/** Sorts the changes of `status` in the work tree at `root`. */
export async function chooseChanges(root: string, status: WorkStatus, limits: Limits): Promise<Chosen> {
  const chosen = { going: new Array<WorkChange>(), young: new Array<string>(), leftOut: status.nested.map(nestedOut) };
  let bytes = 0;
  for await (const [change, stats] of lookAtFiles(root, status.changes)) {
    if (chosen.going.length >= MAX_PATHS || bytes >= MAX_BYTES) return { ...chosen, hasMore: true };
    const path = change.path.toString('utf8');
    const isSettled = limits.mayGo(path);
    if (isSettled === false) continue;
    const reason = stats === undefined ? undefined : reasonAgainst(stats, limits);
    if (reason !== undefined) chosen.leftOut.push({ path, ...reason });
    else if (isSettled === undefined && stats !== undefined && isYoung(stats, limits)) chosen.young.push(path);
    else {
      chosen.going.push(change);
      bytes += stats?.size ?? 0;
    }
  }
  return { ...chosen, hasMore: false };
}

function nestedOut(path: Buffer): LeftOut {
  return { path: path.toString('utf8'), why: 'nested', words: 'is a repository of its own: share it by itself, or make it a submodule' };
}

function reasonAgainst(stats: Pick<Stats, 'size' | 'isFile' | 'isSymbolicLink' | 'isDirectory'>, { maxBytes }: Limits): Omit<LeftOut, 'path'> | undefined {
  // A folder where a file was: what is in it is a change of its own.
  if (stats.isSymbolicLink() || stats.isDirectory()) return undefined;
  if (!stats.isFile()) return { why: 'special', words: 'is no ordinary file' };
  if (stats.size <= maxBytes) return undefined;
  return { why: 'large', words: `has ${stats.size} bytes, more than xmpp.autoCommitMaxSize (${maxBytes}): raise that, ignore the file, or commit it yourself` };
}

/** By both times, for the one of content may be set by anybody; a time to come is that of a clock set back. */
function isYoung(stats: Pick<Stats, 'mtimeMs' | 'ctimeMs'>, { now, delayMs }: Limits): boolean {
  return now - Math.max(stats.mtimeMs, stats.ctimeMs) < delayMs;
}

/** Those of `changes` whose content Git LFS keeps (gitattributes(5), `filter`): without its own push, others would get a note in place of it. */
export async function findLfs(startGit: StartGit, place: IndexPlace, changes: readonly WorkChange[]): Promise<ReadonlySet<WorkChange>> {
  const present = changes.filter(({ kind }) => kind !== 'deleted');
  if (present.length === 0) return new Set();
  const input = Buffer.concat(present.flatMap(({ path }) => [path, Buffer.from([0])]));
  const output = await collectOutput(startGit(['check-attr', '-z', '--stdin', 'filter'], place), { name: 'git check-attr', input });
  const values = splitNul(output).flatMap((part, index) => (index % 3 === 2 ? [part.toString('latin1')] : []));
  return new Set(present.filter((_change, index) => values[index] === 'lfs'));
}

/** A change that Git LFS keeps, for status. */
export function lfsOut({ path }: WorkChange): LeftOut {
  return { path: path.toString('utf8'), why: 'lfs', words: 'is kept by Git LFS, which git-xmpp does not carry: commit and push it yourself' };
}
