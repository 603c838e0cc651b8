// The first commits of one side that the other lacks, for people (git-log(1)). Rule: bounded, and nothing in a subject reaches a terminal but
// printable characters: another device wrote it.

import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import type { Repository } from './repository.ts';

/** A commit in one line. */
export interface CommitLine {
  readonly oid: Oid;
  /** At most 72 characters of its subject. */
  readonly subject: string;
}

const MAX_SUBJECT = 72;

/** The newest commits that `to` has and `from` lacks. @throws Fault `git` when one is not here */
export async function newestCommits(
  runGit: RunGit,
  repository: Repository,
  range: { readonly from: Oid; readonly to: Oid; readonly max: number },
): Promise<CommitLine[]> {
  // A pager, colours or a signature's check are the user's own settings for log; rev-list has none of them.
  const args = ['rev-list', `--max-count=${range.max}`, '--no-commit-header', '--format=%H %s', range.to, `^${range.from}`];
  const { stdout } = await runGit(args, inRepository(repository));
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [oid = '', ...words] = line.split(' ');
    return { oid: parseOid(oid), subject: shortSubject(words.join(' ')) };
  });
}

/** Printable and short. */
export function shortSubject(text: string): string {
  const clean = Array.from(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?'));
  return clean.length > MAX_SUBJECT ? `${clean.slice(0, MAX_SUBJECT - 1).join('')}…` : clean.join('');
}
