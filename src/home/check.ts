// Looks at what this machine gives an agent: the files of its home, watched folders (proc(5), inotify(7)).
// Rule: it looks and changes nothing, not even a mode that is too wide; what cannot be looked at in time is told as not known.

import { constants } from 'node:fs';
import { access, lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import { countWatches, formatMode, parseLimit } from './check-format.ts';
import type { Home } from './paths.ts';

/** A file or folder that is not as it has to be. */
export interface Misplaced {
  readonly path: string;
  readonly why: string;
  /** The command that mends it, where one does. */
  readonly remedy?: string;
}

/** How much of the system's watches is used by this user, and by the agent. */
export interface WatchFacts {
  readonly limit: number;
  readonly used: number;
  readonly byAgent: number;
  /** Objects that hold watches; each program that watches has one at least. */
  readonly instances: number;
  readonly maxInstances: number;
  /** There was more to count than time. */
  readonly isPartial: boolean;
}

const COUNT_MS = 2_000;
/** Files below `state` that are looked at; the rest are packs in the spool. */
const MOST_FILES = 1_000;

/** Whatever in the home others may open, or that is not ours; nothing where there is no home yet. */
export async function lookAtFiles(home: Home): Promise<readonly Misplaced[]> {
  const uid = process.getuid?.();
  const below = async (dir: string): Promise<string[]> => (await readdir(dir).catch(() => [])).slice(0, MOST_FILES).map((name) => join(dir, name));
  const files = [home.dir, home.config, home.credentials, home.log, home.lock, home.identity, home.state, home.socket];
  const outside = dirname(home.socket) === home.dir ? [] : [dirname(home.socket)];
  const all = [...files, ...outside, ...(await below(home.dir)), ...(await below(home.identity)), ...(await below(home.state))];
  const found = await Promise.all([...[...new Set(all)].map((path) => lookAtFile(path, uid)), lookWhetherWritable(home.dir)]);
  return found.filter((each) => each !== undefined);
}

async function lookAtFile(path: string, uid: number | undefined): Promise<Misplaced | undefined> {
  try {
    const stat = await lstat(path);
    if (uid !== undefined && stat.uid !== uid) return { path, why: 'belongs to another user' };
    if (stat.isSymbolicLink() || (stat.mode & 0o077) === 0) return undefined;
    const mode = stat.isDirectory() ? '700' : '600';
    return { path, why: `is open to others (${formatMode(stat.mode)})`, remedy: `chmod ${mode} '${path}'` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    return { path, why: `cannot be looked at (${codeOf(error) ?? 'unknown'})` };
  }
}

async function lookWhetherWritable(path: string): Promise<Misplaced | undefined> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? undefined : { path, why: `cannot be written (${code ?? 'unknown'})` };
  }
}

/** @param agent its process @returns undefined where the system has no such limits, or does not tell them */
export async function lookAtWatches(agent: number | undefined, clock: Clock): Promise<WatchFacts | undefined> {
  const read = async (path: string): Promise<number | undefined> => parseLimit(await readFile(path, 'utf8').catch(() => undefined));
  const limits = await Promise.all(['fs/inotify/max_user_watches', 'user/max_inotify_watches'].map((name) => read(`/proc/sys/${name}`)));
  const known = limits.filter((each) => each !== undefined);
  if (known.length === 0) return undefined;
  const maxInstances = (await read('/proc/sys/fs/inotify/max_user_instances')) ?? Number.POSITIVE_INFINITY;
  const counted = await countAll(agent, clock);
  return { limit: Math.min(...known), maxInstances, ...counted };
}

async function countAll(agent: number | undefined, clock: Clock): Promise<Omit<WatchFacts, 'limit' | 'maxInstances'>> {
  const uid = process.getuid?.();
  const until = clock.now() + COUNT_MS;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  let [used, byAgent, instances, isPartial] = [0, 0, 0, false];
  // The agent's own first: they are what counts when time runs out.
  for (const pid of [...pids].sort((one) => (Number(one) === agent ? -1 : 0))) {
    if (clock.now() > until) {
      isPartial = true;
      break;
    }
    const stat = await lstat(`/proc/${pid}`).catch(() => undefined);
    if (stat === undefined || stat.uid !== uid) continue;
    const own = await countOf(pid);
    instances += own.instances;
    used += own.watches;
    if (Number(pid) === agent) byAgent = own.watches;
  }
  return { used, byAgent, instances, isPartial };
}

async function countOf(pid: string): Promise<{ readonly watches: number; readonly instances: number }> {
  let [watches, instances] = [0, 0];
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) !== 'anon_inode:inotify') continue;
    instances += 1;
    watches += countWatches(await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => ''));
  }
  return { watches, instances };
}
