// What commits say of each other: git-merge-base(1), git-rev-list(1), git-cat-file(1).
// Rule: that an object is here says nothing of what it leads to; only a ref does.

import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Repository } from './repository.ts';

/**
 * Whether `newer` contains `older`, or is the same commit. With `objects` it starts no process where one is the other's parent.
 * @throws Fault `git` when one of them is not here
 */
export async function isAncestor(
  runGit: RunGit,
  repository: Repository,
  pair: { readonly older: Oid; readonly newer: Oid; readonly objects?: ObjectReader },
): Promise<boolean> {
  if ((await pair.objects?.areParents([pair])) === true) return true;
  const args = ['merge-base', '--is-ancestor', pair.older, pair.newer];
  const { exitCode } = await runGit(args, { ...inRepository(repository), okCodes: [0, 1] });
  return exitCode === 0;
}

/** Those of `oids` that are here, as whatever kind of object. Says nothing of what they lead to. */
export async function hasObjects(runGit: RunGit, repository: Repository, oids: Iterable<Oid>): Promise<Set<Oid>> {
  return new Set((await kindsOf(runGit, repository, oids)).keys());
}

/** Those of `oids` that are here and are commits. */
export async function hasCommits(runGit: RunGit, repository: Repository, oids: Iterable<Oid>): Promise<Set<Oid>> {
  return new Set([...(await kindsOf(runGit, repository, oids))].filter(([, kind]) => kind === 'commit').map(([oid]) => oid));
}

/** What kind of object each of `oids` is, of those that are here. */
async function kindsOf(runGit: RunGit, repository: Repository, oids: Iterable<Oid>): Promise<Map<Oid, string>> {
  const input = [...oids].map((oid) => `${oid}\n`).join('');
  if (input === '') return new Map();
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { ...inRepository(repository), input });
  const lines = stdout.split('\n').map((line) => line.split(' '));
  return new Map(lines.flatMap(([oid = '', type = 'missing']) => (type === 'missing' ? [] : [[parseOid(oid), type] as const])));
}

/** What may lead to a commit. */
interface Leading {
  /** Globs of refs, `refs/heads/*`. */
  readonly from: readonly string[];
  /** What counts as such refs' value as well. */
  readonly tips?: readonly Oid[];
}

/**
 * Whether refs that match `from` lead to every one of `oids`; to a tag object only when one of them is it.
 * False for an object that is not here. Three processes, however many are asked for: a peer chooses how many.
 */
export async function areReachable(runGit: RunGit, repository: Repository, oids: readonly Oid[], options: Leading): Promise<boolean> {
  if (options.from.length === 0) return false;
  const distinct = [...new Set(oids)];
  return (await ledTo(runGit, repository, distinct, { ...options, max: 1 })).size === distinct.length;
}

/** At most `max` of `commits`, the newest first; in any order where one of them is not all here. */
export async function newestOf(runGit: RunGit, repository: Repository, commits: readonly Oid[], max: number): Promise<readonly Oid[]> {
  if (commits.length < 2) return commits;
  const args = ['rev-list', '--no-walk=sorted', `--max-count=${max}`, '--stdin'];
  const { stdout, exitCode } = await runGit(args, { ...inRepository(repository), input: commits.map((oid) => `${oid}\n`).join(''), okCodes: [0, 128] });
  return exitCode !== 0 ? commits.slice(0, max) : stdout.split('\n').filter((line) => line !== '').map(parseOid);
}

/** Of a commit that is reachable nothing is listed; of others no more than this, or none of those asked for counts. */
const MAX_UNREACHABLE = 10_000;

/** Those of `oids` that are here and that refs matching `from` lead to; a tag object only when one of them is it. Three processes, however many are asked for. */
export async function reachableOf(runGit: RunGit, repository: Repository, oids: readonly Oid[], options: Leading): Promise<Set<Oid>> {
  return ledTo(runGit, repository, oids, { ...options, max: MAX_UNREACHABLE });
}

/** @param options.max where so many commits are led to by nothing, none counts but those that refs name */
async function ledTo(runGit: RunGit, repository: Repository, oids: readonly Oid[], { from, tips = [], max }: Leading & { readonly max: number }): Promise<Set<Oid>> {
  const globs = from.map((glob) => `--glob=${glob}`);
  if (oids.length === 0 || globs.length + tips.length === 0) return new Set();
  const named = new Set([...tips, ...(await runGit(['rev-parse', ...globs], inRepository(repository))).stdout.split('\n')]);
  // A ref may name what a crash or a failing disk has taken.
  const here = await kindsOf(runGit, repository, oids);
  const isTip = (oid: Oid): boolean => here.has(oid) && named.has(oid);
  const rest = oids.filter((oid) => here.get(oid) === 'commit' && !isTip(oid));
  if (rest.length === 0) return new Set(oids.filter(isTip));
  const args = ['rev-list', '--ignore-missing', `--max-count=${max}`, '--stdin', '--not', ...globs];
  const input = [...rest, ...tips.map((oid) => `^${oid}`)].map((line) => `${line}\n`).join('');
  // 128: what one of them leads to is not all here.
  const { stdout, exitCode } = await runGit(args, { ...inRepository(repository), input, okCodes: [0, 128] });
  const others = new Set(stdout.split('\n'));
  const isKnown = exitCode === 0 && others.size <= max;
  return new Set(oids.filter((oid) => isTip(oid) || (isKnown && here.get(oid) === 'commit' && !others.has(oid))));
}

/** How many commits `to` has that `from` does not contain. */
export async function countCommits(
  runGit: RunGit,
  repository: Repository,
  range: { readonly from?: Oid; readonly to: Oid },
): Promise<number> {
  const args = ['rev-list', '--count', range.to, ...(range.from === undefined ? [] : [`^${range.from}`])];
  const { stdout } = await runGit(args, inRepository(repository));
  return Number(stdout.trim());
}
