// How long the tips are kept that a move of the agent left behind (refs/xmpp/kept/). Rule: as long as git keeps a reflog unless told otherwise, counted
// from when they were first seen here; of a clock that has just leapt nothing is believed, and what another has moved stays.

import { join } from 'node:path';
import { parseDuration } from '../lib/duration-format.ts';
import { asFault, InputFault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { RepoId } from '../lib/names.ts';
import { keptTips } from '../git/own-moves.ts';
import { readGitConfig } from '../git/repository.ts';
import type { Repository } from '../git/repository.ts';
import { updateRefs } from '../git/refs.ts';
import { StateFile } from '../home/state.ts';
import { parseRecord } from '../sync/digest-format.ts';
import { settingReader } from './setting-reader.ts';

const DAY_MS = 86_400_000;
/** As gc.reflogExpire (git-config(1)). */
const KEEP_MS = 90 * DAY_MS;
const KEEP = { min: DAY_MS, max: 36_500 * DAY_MS };
/** Longer between two looks, and the clock may have leapt, or the machine was away: then nothing goes before the next look. */
const MAX_GAP_MS = 30 * DAY_MS;

/** Milliseconds since 1970: when it was looked last, and when each tip was seen first, by its ref. */
interface KeptState {
  readonly lookedAt: number;
  readonly seen: Readonly<Record<string, number>>;
}

/** Removes what has been kept for as long as `xmpp.keep` says. @returns how many were removed */
export async function removeOldKept(
  { runGit, repository }: { readonly runGit: RunGit; readonly repository: Repository },
  known: { readonly stateDir: string; readonly repo: RepoId; readonly now: number; readonly onProblem: (words: string) => void },
): Promise<number> {
  const { now } = known;
  const all = await keptTips(runGit, repository);
  const file = new StateFile<KeptState>(join(known.stateDir, `kept-${known.repo}.json`), parseKept, () => ({ lookedAt: now, seen: {} }));
  const before = await file.read();
  if (all.size === 0 && Object.keys(before.seen).length === 0) return 0;
  const read = settingReader(await readGitConfig(runGit, repository), (fault) => known.onProblem(`${asFault(fault, 'reading').message}; the default holds`));
  const keepMs = read('xmpp.keep', (text) => parseDuration('xmpp.keep', text, KEEP), KEEP_MS);
  const isBelieved = now >= before.lookedAt && now - before.lookedAt <= MAX_GAP_MS;
  const since = (ref: string): number => Math.min(before.seen[ref] ?? now, now);
  const old = [...all].filter(([ref]) => isBelieved && now - since(ref) > keepMs);
  const updates = old.map(([ref, from]) => ({ ref, from, to: undefined }));
  const isRemoved = updates.length > 0 && (await updateRefs(runGit, repository, updates, { message: 'xmpp: kept long enough' })) === 'done';
  const gone = new Set(isRemoved ? old.map(([ref]) => ref) : []);
  await file.write({ lookedAt: now, seen: Object.fromEntries([...all.keys()].filter((ref) => !gone.has(ref)).map((ref) => [ref, since(ref)])) });
  return gone.size;
}

function parseKept(value: unknown): KeptState {
  const { lookedAt, seen } = parseRecord(value, 'kept tips');
  const isTime = (time: unknown): time is number => Number.isSafeInteger(time);
  const times = Object.entries(parseRecord(seen, 'kept tips'));
  if (!isTime(lookedAt) || times.some(([, time]) => !isTime(time))) throw new InputFault('kept tips', 'has a time that is none');
  return { lookedAt, seen: Object.fromEntries(times.filter((entry): entry is [string, number] => isTime(entry[1]))) };
}
