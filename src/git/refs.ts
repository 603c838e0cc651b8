// Refs: git-for-each-ref(1), git-update-ref(1). What commits say of each other is in history.ts and reflog.ts.
// Rule: a ref moves only from the value that was seen; a lost race is an answer, not an error.

import { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { isRefName, parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import type { Repository } from './repository.ts';

export { areReachable, countCommits, hasCommits, hasObjects, isAncestor, newestOf, reachableOf } from './history.ts';
export { wasLeft } from './reflog.ts';

export type RefMap = ReadonlyMap<RefName, Oid>;

export interface RefUpdate {
  readonly ref: RefName;
  /** The value it must have now; absent when it must not exist. */
  readonly from: Oid | undefined;
  /** The value it gets; absent to delete it. */
  readonly to: Oid | undefined;
}

const REFS_AT_ONCE = '%(objectname) %(refname)';

/**
 * Refs below `prefixes` (`refs/heads/`, …), as they are: tags are not peeled.
 * @param options.onUnreadable told of each name that is not UTF-8: no other device could be told of it
 */
export async function listRefs(
  runGit: RunGit,
  repository: Repository,
  prefixes: readonly string[],
  options: { readonly onUnreadable?: (name: string) => void } = {},
): Promise<RefMap> {
  const { stdout } = await runGit(['for-each-ref', `--format=${REFS_AT_ONCE}`, ...prefixes], inRepository(repository));
  const refs = new Map<RefName, Oid>();
  for (const line of stdout.split('\n')) {
    const space = line.indexOf(' ');
    const name = line.slice(space + 1);
    if (space > 0 && isRefName(name)) refs.set(parseRefName(name), parseOid(line.slice(0, space)));
    else if (space > 0) options.onUnreadable?.(name);
  }
  return refs;
}

export type Head = { readonly branch: RefName } | { readonly detached: Oid } | { readonly unborn: RefName };

/** What HEAD stands for. */
export async function headOf(runGit: RunGit, repository: Pick<Repository, 'path' | 'gitDir'>): Promise<Head> {
  const place = inRepository(repository);
  const symbolic = await runGit(['symbolic-ref', '-q', 'HEAD'], { ...place, okCodes: [0, 1] });
  const at = await runGit(['rev-parse', '-q', '--verify', 'HEAD'], { ...place, okCodes: [0, 1, 128] });
  if (symbolic.exitCode !== 0) return { detached: parseOid(at.stdout.trim()) };
  const branch = parseRefName(symbolic.stdout.trim());
  return at.exitCode === 0 ? { branch } : { unborn: branch };
}

/**
 * Moves refs in one transaction, each only from the value that was seen. Where a name gives way to one above or below it (`a` becomes
 * `a/b`), git wants it gone before: such deletions are a transaction of their own.
 * @param options.message for the reflog
 * @returns `lost-race` when one of them has moved or is locked; nothing has changed then, but for such deletions
 * @throws Fault `git` when a name cannot exist beside another (`a` and `a/b`)
 */
export async function updateRefs(
  runGit: RunGit,
  repository: Pick<Repository, 'path' | 'gitDir'>,
  updates: readonly RefUpdate[],
  options: { readonly message: string },
): Promise<'done' | 'lost-race'> {
  const first = deletionsInTheWay(updates);
  const rest = updates.filter((update) => !first.has(update));
  const done = await transact(runGit, repository, [...first], options);
  return done === 'done' ? transact(runGit, repository, rest, options) : done;
}

async function transact(
  runGit: RunGit,
  repository: Pick<Repository, 'path' | 'gitDir'>,
  updates: readonly RefUpdate[],
  options: { readonly message: string },
): Promise<'done' | 'lost-race'> {
  if (updates.length === 0) return 'done';
  const { dir, env } = inRepository(repository);
  const result = await runGit(['update-ref', '-m', options.message, '--no-deref', '-z', '--stdin'], {
    dir,
    env,
    config: { 'core.hooksPath': '/dev/null' },
    input: updates.map(formatUpdate).join(''),
    okCodes: [0, 128],
  });
  if (result.exitCode === 0) return 'done';
  if (/cannot lock ref/.test(result.stderr) && !/cannot create|cannot process|Permission denied|No space/.test(result.stderr))
    return 'lost-race';
  throw new Fault('git', `git update-ref: ${result.stderr.trim()}`);
}

/** Deletions of names that are a folder of a new ref's name, or lie in a folder of its name. */
function deletionsInTheWay(updates: readonly RefUpdate[]): ReadonlySet<RefUpdate> {
  const made = updates.filter(({ to }) => to !== undefined).map(({ ref }) => ref);
  const names = new Set<string>(made);
  const folders = new Set(made.flatMap(foldersOf));
  const isInTheWay = (ref: RefName): boolean => folders.has(ref) || foldersOf(ref).some((folder) => names.has(folder));
  return new Set(updates.filter(({ ref, to }) => to === undefined && isInTheWay(ref)));
}

/** `refs`, `refs/heads`, `refs/heads/a` for `refs/heads/a/b`. */
function foldersOf(ref: string): string[] {
  const parts = ref.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** One command for `git update-ref -z --stdin`. */
export function formatUpdate({ ref, from, to }: RefUpdate): string {
  if (to === undefined) return `delete ${ref}\0${from ?? ''}\0`;
  return from === undefined ? `create ${ref}\0${to}\0` : `update ${ref}\0${to}\0${from}\0`;
}
