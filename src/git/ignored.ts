// What git ignores in a work tree, asked of git itself (git-ls-files(1), git-check-ignore(1)).
// Rule: what git does not name as ignored counts as wanted; an ignored folder that holds tracked files is wanted too.

import type { RunGit } from '../lib/git-run.ts';
import { inRepository } from './environment.ts';
import type { Repository } from './repository.ts';

/** git's word for questions that it does not answer, such as one about a path within a submodule. */
const NO_ANSWER = 128;
const LIST_MS = 120_000;

/** Folders that are ignored as a whole, by their path from the top. */
export async function ignoredFolders(runGit: RunGit, repository: Repository): Promise<Set<string>> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const { stdout } = await runGit(args, { ...inRepository(repository), deadlineMs: LIST_MS });
  return new Set(stdout.split('\0').flatMap((path) => (path.endsWith('/') ? [path.slice(0, -1)] : [])));
}

/** Those of `paths` (files or folders, from the top) that are ignored. */
export async function checkIgnored(runGit: RunGit, repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const input = paths.map((path) => `${path}\0`).join('');
  const { stdout } = await runGit(['check-ignore', '-z', '--stdin'], { ...inRepository(repository), input, okCodes: [0, 1, NO_ANSWER] });
  return new Set(stdout.split('\0').filter((path) => path !== ''));
}
