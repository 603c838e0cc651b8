// `git xmpp log`: what moved by itself in a repository, what a move left behind, and where that is kept (docs/git-xmpp.1). Rule: whatever was left is
// told with the command that gets it back.

import type { Oid, RefName } from '../lib/names.ts';
import { branchOfKept, keptTips, ownMoves } from '../git/own-moves.ts';
import { shortSubject } from '../git/commit-list.ts';
import type { RepoContext } from './context.ts';

/** One line of the log. */
export interface LogEntry {
  /** Milliseconds since 1970; absent where only the kept tip is left of it. */
  readonly at?: number;
  readonly branch: string;
  /** Such as `fast-forward` or `follow`; `kept` where only the kept tip is left of it. */
  readonly how: string;
  readonly from?: Oid;
  readonly to?: Oid;
  /** The ref under which the tip that was left is kept. */
  readonly kept?: string;
  /** The command that makes a branch of it again. */
  readonly back?: string;
}

/** `GET /log`. */
export interface LogAnswer {
  readonly name: string;
  readonly path: string;
  readonly entries: readonly LogEntry[];
}

const MAX_ENTRIES = 200;

/** The newest moves, then what else is kept. */
export async function repoLog({ runGit, repository }: Pick<RepoContext, 'runGit' | 'repository'>): Promise<LogEntry[]> {
  const kept = await keptTips(runGit, repository);
  const rest = new Map<string, { readonly ref: RefName; readonly oid: Oid }>([...kept].map(([ref, oid]) => [`${branchOfKept(ref)} ${oid}`, { ref, oid }]));
  const entries: LogEntry[] = [];
  for (const { at, ref, from, to, how } of await ownMoves(runGit, repository, MAX_ENTRIES)) {
    const branch = ref.slice('refs/heads/'.length);
    const left = rest.get(`${branch} ${from}`);
    if (left !== undefined) rest.delete(`${branch} ${left.oid}`);
    const isKept = left === undefined ? {} : { kept: left.ref, back: backTo(branch, left.oid) };
    entries.push({ at, branch, how: shortSubject(how), ...(from === undefined ? {} : { from }), to, ...isKept });
  }
  const only = [...rest.values()].slice(0, MAX_ENTRIES).map(({ ref, oid }) => ({ branch: branchOfKept(ref), how: 'kept', from: oid, kept: ref, back: backTo(branchOfKept(ref), oid) }));
  return [...entries, ...only];
}

/** A name that a shell takes as one word, whatever another device called its branch. */
function backTo(branch: string, oid: Oid): string {
  const stem = /^\w[\w./+-]*$/.test(branch) ? branch : 'kept';
  return `git branch ${stem}-${oid.slice(0, 7)} ${oid.slice(0, 12)}`;
}
