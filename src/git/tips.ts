// What a branch's tip stands for, read from its commit (docs/CONVERGENCE.md, "The join").
// Rule: the commits themselves are read, never what a replace ref puts in their place (environment.ts sees to that for every git).

import { Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { Tip } from '../sync/join.ts';
import { committerSeconds, parseAutomatic } from './automatic-format.ts';
import { parentsIn } from './batch-format.ts';
import { inRepository } from './environment.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Repository } from './repository.ts';

/** Where commits are read. */
export interface TipDeps {
  readonly runGit: RunGit;
  readonly repository: Repository;
  /** Saves a process. */
  readonly objects?: ObjectReader | undefined;
}

/** A commit that may be a branch's tip. */
export interface ReadTip extends Tip {
  /** Undefined for a commit of more than eight. */
  readonly parents: readonly Oid[] | undefined;
  /** Committer date, seconds since 1970. */
  readonly seconds: number;
  readonly isAutomatic: boolean;
}

/** Reads commits, in the order of `oids`. @throws Fault `git` when one is not here, or is no commit */
export async function readTips(deps: TipDeps, oids: readonly Oid[]): Promise<ReadTip[]> {
  const answers = await deps.objects?.read(oids);
  const tips: ReadTip[] = [];
  for (const [index, oid] of oids.entries()) {
    const answer = answers?.[index] ?? { type: 'commit', size: 0, content: await contentOf(deps, oid) };
    if (answer.type !== 'commit') throw new Fault('git', `${oid} is no commit`);
    const text = answer.content.toString('latin1');
    const automatic = parseAutomatic(text);
    const solids = automatic?.parents ?? [oid];
    tips.push({ oid, solids, parents: parentsIn(answer), seconds: committerSeconds(text), isAutomatic: automatic !== undefined });
  }
  return tips;
}

async function contentOf({ runGit, repository }: TipDeps, oid: Oid): Promise<Buffer> {
  const { stdout } = await runGit(['cat-file', 'commit', oid], inRepository(repository));
  return Buffer.from(stdout, 'utf8');
}

/**
 * Those of `oids` that none of the others contains. Starts no process where one is the parent of the other.
 * @param known commits that have been read already
 */
export async function maximalOf({ runGit, repository }: TipDeps, oids: readonly Oid[], known: readonly ReadTip[]): Promise<readonly Oid[]> {
  if (oids.length < 2) return oids;
  const holder = known.find((tip) => oids.includes(tip.oid) && oids.every((each) => each === tip.oid || isRightBelow(tip, each, known)));
  if (holder !== undefined) return [holder.oid];
  const { stdout } = await runGit(['merge-base', '--independent', ...oids], inRepository(repository));
  return stdout.split('\n').filter((line) => line !== '').map(parseOid);
}

/** Whether `oid` is a parent of `tip`, or what a parent stands for. */
function isRightBelow({ parents = [] }: ReadTip, oid: Oid, known: readonly ReadTip[]): boolean {
  return parents.includes(oid) || known.some((each) => parents.includes(each.oid) && each.solids.includes(oid));
}
