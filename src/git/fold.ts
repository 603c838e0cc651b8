// Makes the automatic merge of a set of commits: their trees folded in ascending order of their ids (docs/CONVERGENCE.md, "The join").
// Rule: the same parents give the same commit on every device; nothing is checked out, and no ref moves.

import { Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import { formatAutomatic, MAX_MERGE_PARENTS } from './automatic-format.ts';
import type { IsolatedPlace, IsolatedRepo } from './isolated.ts';
import { parseMergeTree } from './merge-tree-format.ts';
import type { MergeTree } from './merge-tree-format.ts';
import { resolvedTree } from './resolve.ts';
import { lastWords } from './run.ts';
import type { StartGit } from './run.ts';
import { readTips } from './tips.ts';
import type { TipDeps } from './tips.ts';
import { collectOutput, diffTrees } from './tree-diff.ts';
import type { TreeChange, TreeLimits } from './tree-diff.ts';
import type { Sides } from './variants.ts';

export interface FoldDeps extends TipDeps {
  readonly startGit: StartGit;
  readonly isolated: IsolatedRepo;
}

export interface FoldOptions {
  /** How much two commits may differ: beyond it a person has to look. */
  readonly limits: TreeLimits;
  /** `xmpp.mergeUnrelated`. */
  readonly mayMergeUnrelated: boolean;
}

/** The merge commit, in the repository's objects; or why a person has to make it. */
export type Folded = { readonly commit: Oid } | { readonly waits: string };

const UNRELATED = 'it has no first commit in common with yours; to merge all the same: git config xmpp.mergeUnrelated true';
const MAX_KEPT = 64;
const CONFLICTS = 1;
const REFUSED = 128;

/**
 * @param parents at least two commits, none of which contains another, in ascending order
 * @throws Fault `git`, `disk-full`
 */
export async function foldParents(deps: FoldDeps, parents: readonly Oid[], options: FoldOptions): Promise<Folded> {
  if (parents.length > MAX_MERGE_PARENTS) return { waits: `${parents.length} devices committed at once, more than are merged automatically` };
  const { merges } = deps.isolated;
  const known = merges.get(parents.join(' '));
  // Somebody may have pruned it.
  if (known !== undefined && (await deps.objects?.bytesOf([known])) !== undefined) return { commit: known };
  const folded = await foldAnew(deps, parents, options);
  const [oldest] = merges.keys();
  if (merges.size >= MAX_KEPT && oldest !== undefined) merges.delete(oldest);
  if ('commit' in folded) merges.set(parents.join(' '), folded.commit);
  return folded;
}

async function foldAnew(deps: FoldDeps, parents: readonly Oid[], options: FoldOptions): Promise<Folded> {
  const [first, ...others] = await readTips(deps, parents);
  if (first === undefined) throw new Fault('internal', 'a merge has parents');
  const place = await deps.isolated.place(first.oid);
  let commit = first.oid;
  let seconds = first.seconds;
  for (const [index, next] of others.entries()) {
    const merged = await mergeTwo(deps, place, { pair: [commit, next.oid], options });
    if ('waits' in merged) return merged;
    seconds = Math.max(seconds, next.seconds);
    const content = formatAutomatic({ tree: merged.tree, parents: parents.slice(0, index + 2), seconds });
    const { stdout } = await deps.runGit(['hash-object', '-t', 'commit', '-w', '--stdin'], { ...place, input: content });
    commit = parseOid(stdout.trim());
  }
  return { commit };
}

interface Pair {
  readonly pair: readonly [Oid, Oid];
  readonly options: FoldOptions;
}

async function mergeTwo(deps: FoldDeps, place: IsolatedPlace, { pair, options }: Pair): Promise<{ readonly tree: Oid } | { readonly waits: string }> {
  const [from, to] = pair;
  const diff = await diffTrees(deps.startGit, place, { from, to, limits: options.limits, objects: deps.objects });
  if ('over' in diff) return { waits: `${diff.over}: look at it, then merge it yourself` };
  const found = await mergeTree(deps.startGit, place, { pair, options });
  if (found === undefined) return { waits: UNRELATED };
  if (found.isClean) return { tree: found.tree };
  const { indexFile } = deps.isolated;
  return { tree: await resolvedTree({ ...deps, place, indexFile }, { found, labels: pair, sides: sidesOf(diff.changes) }) };
}

/** @returns undefined for histories that have no commit in common */
async function mergeTree(startGit: StartGit, place: IsolatedPlace, { pair, options }: Pair): Promise<(MergeTree & { readonly isClean: boolean }) | undefined> {
  const unrelated = options.mayMergeUnrelated ? ['--allow-unrelated-histories'] : [];
  const git = startGit(['merge-tree', '--write-tree', '-z', ...unrelated, ...pair], place);
  const output = await collectOutput(git, { name: 'git merge-tree', okCodes: [0, CONFLICTS, REFUSED] });
  const code = await git.exit;
  if (code !== REFUSED) return { ...parseMergeTree(output), isClean: code === 0 };
  const words = lastWords(git.stderrTail());
  if (words.includes('refusing to merge unrelated histories')) return undefined;
  throw new Fault('git', `git merge-tree: ${words}`);
}

function sidesOf(changes: readonly TreeChange[]): Sides {
  const there = (mode: string, oid: Oid): { mode: string; oid: Oid } | undefined => (mode === '000000' ? undefined : { mode, oid });
  return new Map(
    changes.map((change) => [change.path.toString('latin1'), [there(change.oldMode, change.oldOid), there(change.newMode, change.newOid)]] as const),
  );
}
