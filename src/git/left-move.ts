// Which commits a branch lost, and which it got back, when it moved: git-rev-list(1). Rule: a step forward by one commit starts no process;
// automatic merges are nobody's work, so they are not lost.

import type { Oid } from '../lib/names.ts';
import { parseOid } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import { hasCommits, isAncestor } from './history.ts';
import { readTips } from './tips.ts';
import type { TipDeps } from './tips.ts';

export interface LeftAndBack {
  /** Newest first, at most 256. */
  readonly left: readonly Oid[];
  readonly back: readonly Oid[];
}

const MAX_LEFT = 256;
const NOTHING: LeftAndBack = { left: [], back: [] };

/**
 * @param move.from undefined where only what `to` holds matters
 * @param gone commits that were left before: those of them that `to` holds and `from` did not, and `to` itself, are back
 */
export async function findMove(deps: TipDeps, move: { readonly from: Oid | undefined; readonly to: Oid }, gone: ReadonlySet<Oid>): Promise<LeftAndBack> {
  const { from, to } = move;
  if (from === undefined && gone.size === 0) return NOTHING;
  const asked = from === undefined ? [to] : [from, to];
  if (from !== undefined) {
    const step = await deps.objects?.areParents([{ older: from, newer: to }]);
    if (step === true && gone.size === 0) return NOTHING;
    const [tip] = step === true ? await readTips(deps, [to]) : [];
    if (tip?.parents?.length === 1) return { left: [], back: gone.has(to) ? [to] : [] };
  }
  // What is not here any more can be compared with nothing.
  if ((await hasCommits(deps.runGit, deps.repository, asked)).size < new Set(asked).size) return NOTHING;
  const isForward = from === undefined || (await isAncestor(deps.runGit, deps.repository, { older: from, newer: to }));
  const left = isForward ? [] : await lostBetween(deps, from, to);
  const held = gone.size === 0 ? [] : from === undefined ? await heldBy(deps, to, gone) : await revList(deps, [to, `^${from}`]);
  // Where a person put the branch it is meant to be, also within what it held.
  return { left, back: [...new Set([...held, to])].filter((oid) => gone.has(oid)) };
}

async function lostBetween(deps: TipDeps, from: Oid, to: Oid): Promise<Oid[]> {
  const lost = await revList(deps, [`--max-count=${MAX_LEFT}`, from, `^${to}`]);
  const tips = await readTips(deps, lost);
  return tips.filter(({ isAutomatic }) => !isAutomatic).map(({ oid }) => oid);
}

/** Those of `gone` that `to` contains. What they hold that it lacks is listed, for that is little; all that it holds may be a million commits. */
async function heldBy(deps: TipDeps, to: Oid, gone: Iterable<Oid>): Promise<Oid[]> {
  const here = [...(await hasCommits(deps.runGit, deps.repository, gone))];
  if (here.length === 0) return [];
  const lacking = new Set(await revList(deps, ['--stdin'], [...here, `^${to}`].map((line) => `${line}\n`).join('')));
  return here.filter((oid) => !lacking.has(oid));
}

async function revList({ runGit, repository }: TipDeps, args: readonly string[], input = ''): Promise<Oid[]> {
  const { stdout } = await runGit(['rev-list', ...args], { ...inRepository(repository), input });
  return stdout.split('\n').filter((line) => line !== '').map(parseOid);
}
