// What the agent moved in a repository, and what it kept: its own entries in the reflogs of branches, and refs/xmpp/kept/ (git-reflog(1),
// docs/git-xmpp.1, "log"). Rule: read from what git keeps anyway; bounded however long a reflog is.

import { join } from 'node:path';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { readEnd, REFLOG_MARK } from './reflog.ts';
import { parseReflogLine } from './reflog-format.ts';
import { listRefs } from './refs.ts';
import type { RefMap } from './refs.ts';
import type { Repository } from './repository.ts';

/** One move that the agent made. */
export interface OwnMove {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ref: RefName;
  /** Absent where the branch was made. */
  readonly from: Oid | undefined;
  readonly to: Oid;
  /** Such as `fast-forward` or `follow`. */
  readonly how: string;
}

const KEPT = 'refs/xmpp/kept/';
const MAX_BRANCHES = 500;

/** Moves of the branches that are there, newest first; at most `max`. */
export async function ownMoves(runGit: RunGit, repository: Repository, max: number): Promise<OwnMove[]> {
  const branches = [...(await listRefs(runGit, repository, ['refs/heads/'])).keys()].slice(0, MAX_BRANCHES);
  const moves: OwnMove[] = [];
  for (const ref of branches) moves.push(...(await movesOf(repository, ref)).slice(-max));
  // Of one second the later entry is the later move.
  return moves.map((move, index) => ({ move, index })).sort((a, b) => b.move.at - a.move.at || b.index - a.index).slice(0, max).map(({ move }) => move);
}

/** Tips that a move left behind, by the ref that keeps each. */
export function keptTips(runGit: RunGit, repository: Repository): Promise<RefMap> {
  return listRefs(runGit, repository, [KEPT]);
}

/** The branch that a kept tip was on. */
export function branchOfKept(ref: RefName): string {
  return ref.slice(KEPT.length).replace(/-[0-9a-f]{12}$/, '');
}

async function movesOf(repository: Repository, ref: RefName): Promise<OwnMove[]> {
  const text = await readEnd(join(repository.commonDir, 'logs', ref));
  return text.split('\n').flatMap((line) => {
    const { from = '', to = '', seconds, message = '' } = parseReflogLine(line) ?? {};
    if (!message.startsWith(REFLOG_MARK) || seconds === undefined || /^0+$/.test(to)) return [];
    const before = /^0+$/.test(from) ? undefined : parseOid(from);
    return [{ at: seconds * 1000, ref: parseRefName(ref), from: before, to: parseOid(to), how: message.slice(REFLOG_MARK.length) }];
  });
}
