// The history that a peer lacks, walked oldest first, with what each commit brings: git-rev-list(1), git-cat-file(1).
// Rule: one walk, however many slices are cut from it; it stands still while a slice is sent, and ends when nobody wants more.

import { pipeline } from 'node:stream/promises';
import { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import type { Step } from '../sync/slice-plan.ts';
import { inRepository } from './environment.ts';
import type { Repository } from './repository.ts';
import type { GitProcess, StartGit } from './run.ts';

export interface Range {
  readonly tips: readonly Oid[];
  /** What is left out, with all that it leads to. */
  readonly bases: readonly Oid[];
}

/** A whole walk of a large history, before its first line. */
const MEASURE_MS = 600_000;
/** Parents before children, lines of history not mixed; every tree and blob right behind the first commit that has it. */
const WALK = ['rev-list', '--objects', '--no-object-names', '--in-commit-order', '--topo-order', '--reverse', '--parents', '--stdin'];
const LOOK = ['cat-file', '--buffer', '--batch-check=%(objecttype) %(objectsize:disk) %(objectname) %(rest)'];

/** Commits of a range, each behind its parents. @param range.tips commits @throws Fault `git` when an object is missing */
export async function* walkSteps(startGit: StartGit, repository: Repository, range: Range): AsyncGenerator<Step, void> {
  const place = inRepository(repository);
  const walk = startGit(WALK, place);
  walk.stdin.end(formatRange(range));
  const look = startBeside(walk, () => startGit(LOOK, place));
  const joined = pipeline(walk.stdout, look.stdin).catch(() => undefined);
  try {
    yield* readSteps(look);
    await joined;
    for (const git of [walk, look]) {
      if ((await git.exit) !== 0) throw new Fault('git', `walking the history: ${git.stderrTail().trim()}`);
    }
  } finally {
    for (const git of [walk, look]) git.kill();
    look.stdout.destroy();
  }
}

/** Starts another process; one that runs already does not outlive it where that fails. */
function startBeside(running: GitProcess, start: () => GitProcess): GitProcess {
  try {
    return start();
  } catch (error) {
    running.kill();
    running.stdout.destroy();
    throw error;
  }
}

async function* readSteps(look: GitProcess): AsyncGenerator<Step, void> {
  let step: { oid: Oid; parents: readonly Oid[]; bytes: number } | undefined;
  let rest = '';
  for await (const part of look.stdout) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [type, size, oid, ...parents] = line.split(' ');
      const bytes = Number(size);
      if (oid === undefined || !Number.isSafeInteger(bytes)) throw new Fault('git', `walking the history: ${line.slice(0, 100)}`);
      if (type === 'commit') {
        if (step !== undefined) yield step;
        step = { oid: parseOid(oid), parents: parents.filter((each) => each !== '').map(parseOid), bytes };
      } else if (step !== undefined) step.bytes += bytes;
    }
  }
  if (step !== undefined) yield step;
}

/** Bytes on the disk of everything in a range. */
export async function measureRange(runGit: RunGit, repository: Repository, range: Range): Promise<number> {
  if (range.tips.length === 0) return 0;
  const args = ['rev-list', '--objects', '--disk-usage', '--use-bitmap-index', '--stdin'];
  const { stdout } = await runGit(args, { ...inRepository(repository), input: formatRange(range), deadlineMs: MEASURE_MS });
  return Number(stdout.trim());
}

/** Commits outside a range that are parents of commits in it: what a pack of it builds on. @param range commits alone @throws Fault `git`, also where it is very long */
export async function edgeOf(runGit: RunGit, repository: Repository, range: Range): Promise<readonly Oid[]> {
  if (range.tips.length === 0) return [];
  const { stdout } = await runGit(['rev-list', '--boundary', '--stdin'], { ...inRepository(repository), input: formatRange(range), deadlineMs: MEASURE_MS });
  return stdout.split('\n').filter((line) => line.startsWith('-')).map((line) => parseOid(line.slice(1)));
}

/** What tips stand for, tags peeled: commits, and the tips that lead to a tree or a blob instead. */
export async function sortTips(
  runGit: RunGit,
  repository: Repository,
  tips: readonly Oid[],
): Promise<{ readonly commits: readonly Oid[]; readonly others: readonly Oid[] }> {
  if (tips.length === 0) return { commits: [], others: [] };
  const input = tips.map((oid) => `${oid}^{}\n`).join('');
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objecttype) %(objectname)'], { ...inRepository(repository), input });
  const peeled = stdout.split('\n').map((line) => line.split(' '));
  const commits = peeled.flatMap(([type, oid]) => (type === 'commit' && oid !== undefined ? [parseOid(oid)] : []));
  return { commits: [...new Set(commits)], others: tips.filter((_tip, index) => /^(?:tree|blob)$/.test(peeled[index]?.[0] ?? '')) };
}

/** A pack of one step alone, to `stdout`: everything that none of its parents has (git-pack-objects(1)). */
export function packStep(startGit: StartGit, repository: Repository, step: Pick<Step, 'oid' | 'parents'>): GitProcess {
  const args = ['pack-objects', '--revs', '--stdout', '--delta-base-offset', '--quiet'];
  const git = startGit(args, { ...inRepository(repository), config: { 'core.hooksPath': '/dev/null' } });
  git.stdin.end(formatRange({ tips: [step.oid], bases: step.parents }));
  return git;
}

function formatRange({ tips, bases }: Range): string {
  return [...tips, ...bases.map((oid) => `^${oid}`)].map((line) => `${line}\n`).join('');
}
