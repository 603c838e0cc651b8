// Which commits a branch lost, and which it got back, when it moved: git-rev-list(1). Rule: a step forward by one commit starts no process;
// automatic merges are nobody's work, so they are not lost.

import type { Oid } from '../lib/names.ts';
import { parseOid } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import { hasCommits, isAncestor } from './history.ts';
import { readTips } from './tips.ts';
import type { ReadTip, TipDeps } from './tips.ts';

export interface LeftAndBack {
  /** Newest first, at most 256. */
  readonly left: readonly Oid[];
  readonly back: readonly Oid[];
}

const MAX_LEFT = 256;
/** So many lines of a wide history that are lost indeed end the doubt. */
const MAX_ASKED = 16;
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
  const listed = await revList(deps, [`--max-count=${MAX_LEFT}`, from, `^${to}`]);
  const lost = await withoutHeld(deps, await readTips(deps, listed), to);
  return lost.filter(({ isAutomatic }) => !isAutomatic).map(({ oid }) => oid);
}

/**
 * Where clocks were wrong, git lists commits that `to` does hold: it goes by their dates, and gives up a few commits later (revision.c, SLOP). With a commit
 * `to` holds all that it leads to, so only those are asked about that lead to no other of the list: one, as a rule.
 */
async function withoutHeld({ runGit, repository }: TipDeps, listed: readonly ReadTip[], to: Oid): Promise<ReadTip[]> {
  const left = new Map(listed.map((tip) => [tip.oid, tip]));
  const lost = new Set<Oid>();
  const nextOldest = (): Oid | undefined => [...left.values()].find(({ oid, parents = [] }) => !lost.has(oid) && !parents.some((each) => left.has(each)))?.oid;
  for (let oid = nextOldest(); oid !== undefined && lost.size < MAX_ASKED; oid = nextOldest()) {
    if (await isAncestor(runGit, repository, { older: oid, newer: to }).catch(() => false)) left.delete(oid);
    else lost.add(oid);
  }
  return listed.filter(({ oid }) => left.has(oid));
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
