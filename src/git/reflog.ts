// What a branch's reflog remembers (git-reflog(1)): where it was, and how it left.
// Rule: only what a person undid counts; the agent's own moves are marked, and are not somebody's decision.

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import { hasCommits, isAncestor } from './history.ts';
import type { ObjectReader } from './object-reader.ts';
import { parseReflogLine } from './reflog-format.ts';
import type { Repository } from './repository.ts';

/** How every reflog message of the agent begins. */
export const REFLOG_MARK = 'xmpp: ';

const READ_BYTES = 256 << 10;
/** More than one line of a reflog. */
const LAST_BYTES = 8 << 10;
const MOVES_LOOKED_AT = 50;

interface Move {
  readonly from: Oid;
  readonly to: Oid;
  readonly message: string;
}

/**
 * Whether `branch` once held `tip` and was then moved to where it does not: by reset, amend or rebase, and not by the agent.
 * Looks at the last 50 moves.
 * @param asked.at where the branch is; with `objects` no process is started where each move there was one commit forward
 */
export async function wasLeft(
  runGit: RunGit,
  repository: Repository,
  asked: { readonly branch: RefName; readonly tip: Oid; readonly at?: Oid; readonly objects?: ObjectReader },
): Promise<boolean> {
  const all = await readMoves(repository, asked.branch);
  const moves = all.filter((move) => !move.message.startsWith(REFLOG_MARK));
  if (moves.length === 0 || (await isOneByOne(all, asked))) return false;
  if (!(await hasLeftAnything(runGit, repository, { branch: asked.branch, moves }))) return false;
  const present = await hasCommits(runGit, repository, [asked.tip, ...moves.flatMap((move) => [move.from, move.to])]);
  if (!present.has(asked.tip)) return false;
  for (const { from, to } of moves) {
    if (!present.has(from) || !present.has(to)) continue;
    const held = from === asked.tip || (await isAncestor(runGit, repository, { older: asked.tip, newer: from }));
    if (held && !(await isAncestor(runGit, repository, { older: asked.tip, newer: to }))) return true;
  }
  return false;
}

/** Where the last line of a ref's reflog says that it went; undefined where nothing is written down. */
export async function lastMove(repository: Pick<Repository, 'commonDir'>, ref: RefName): Promise<Oid | undefined> {
  const text = await readEnd(join(repository.commonDir, 'logs', ref), LAST_BYTES);
  const to = parseReflogLine(text.trimEnd().split('\n').at(-1) ?? '')?.to;
  return to === undefined ? undefined : parseOid(to);
}

/** Whether the branch came to `at` one commit at a time, so that all it ever moved from lies within. `moves` are newest first. */
async function isOneByOne(moves: readonly Move[], { at, objects }: { readonly at?: Oid; readonly objects?: ObjectReader }): Promise<boolean> {
  const isChain = moves.every(({ to }, index) => to === (index === 0 ? at : moves[index - 1]?.from));
  const pairs = moves.map(({ from, to }) => ({ older: from, newer: to }));
  return isChain && objects !== undefined && objects.areParents(pairs);
}

/** Whether any place the branch moved from lies outside of it now: one question for git instead of two for each commit ever made. */
async function hasLeftAnything(
  runGit: RunGit,
  repository: Repository,
  { branch, moves }: { readonly branch: RefName; readonly moves: readonly Move[] },
): Promise<boolean> {
  const args = ['rev-list', '--ignore-missing', '--max-count=1', ...new Set(moves.map(({ from }) => from)), '--not', branch];
  const { exitCode, stdout } = await runGit(args, { ...inRepository(repository), okCodes: [0, 128] });
  return exitCode !== 0 || stdout !== '';
}

/** The branch's last moves, newest first; creation and deletion are none. */
async function readMoves(repository: Repository, branch: RefName): Promise<Move[]> {
  const text = await readEnd(join(repository.commonDir, 'logs', branch));
  const moves: Move[] = [];
  for (const line of text.split('\n').toReversed()) {
    const { from, to, message = '' } = parseReflogLine(line) ?? {};
    if (from === undefined || to === undefined || from === to || /^0+$/.test(from) || /^0+$/.test(to)) continue;
    moves.push({ from: parseOid(from), to: parseOid(to), message });
    if (moves.length === MOVES_LOOKED_AT) break;
  }
  return moves;
}

/** The last 256 KiB of a file, or nothing when it is not there. A first line that was cut is no line. */
export async function readEnd(path: string, max = READ_BYTES): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - max);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'EISDIR') return '';
    throw error;
  }
}
