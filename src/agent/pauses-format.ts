// What is paused, as it is written down. Rule: pure; parsed strictly, and a pause always says since when.

import { InputFault } from '../lib/errors.ts';
import { parseRepoId } from '../lib/names.ts';
import type { RepoId } from '../lib/names.ts';
import { Fields } from '../home/fields-format.ts';
import { MAX_REPOS } from '../home/repos-format.ts';

/** One pause; times in milliseconds since 1970. */
export interface Pause {
  readonly since: number;
  /** When it ends by itself; absent for one that a person ends. */
  readonly until?: number;
}

/** The pause of one repository. */
export interface RepoPause extends Pause {
  readonly repo: RepoId;
}

/** Everything that is paused; just so it is in the file. */
export interface PausesState {
  readonly version: 1;
  /** The whole agent. */
  readonly all?: Pause;
  readonly repos: readonly RepoPause[];
}

export const NOTHING_PAUSED: PausesState = { version: 1, repos: [] };

/** How long a pause may be, in milliseconds. */
export const PAUSE_BOUNDS = { min: 1_000, max: 365 * 86_400_000 };

/** @throws InputFault naming the field */
export function parsePauses(value: unknown): PausesState {
  const fields = new Fields(value, 'file');
  if (fields.count('version') !== 1) throw new InputFault('file.version', 'is not 1');
  const { all } = fields.parseOptional('all', (name) => fields.object(name, parsePause));
  const repos = fields.list('repos', MAX_REPOS, parseRepoPause);
  fields.end();
  if (new Set(repos.map(({ repo }) => repo)).size < repos.length) throw new InputFault('file.repos', 'names a repository twice');
  return withAll({ version: 1, repos }, all);
}

/** What still holds at `now`, and what has ended. */
export function expire(state: PausesState, now: number): { readonly state: PausesState; readonly hasAllEnded: boolean; readonly ended: readonly RepoId[] } {
  const isOver = ({ until }: Pause): boolean => until !== undefined && until <= now;
  const hasAllEnded = state.all !== undefined && isOver(state.all);
  const [ended, kept] = [state.repos.filter(isOver), state.repos.filter((each) => !isOver(each))];
  return { state: withAll({ version: 1, repos: kept }, hasAllEnded ? undefined : state.all), hasAllEnded, ended: ended.map(({ repo }) => repo) };
}

/** When the next one ends by itself. */
export function nextEnd({ all, repos }: PausesState): number | undefined {
  const ends = [all, ...repos].map((pause) => pause?.until).filter((until) => until !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** The same with another pause of the whole agent, or none. */
export function withAll({ repos }: PausesState, all: Pause | undefined): PausesState {
  return { version: 1, ...(all === undefined ? {} : { all }), repos };
}

/** The same with another pause of one repository, or none. */
export function withRepo({ all, repos }: PausesState, repo: RepoId, pause: Pause | undefined): PausesState {
  const others = repos.filter((each) => each.repo !== repo);
  return withAll({ version: 1, repos: pause === undefined ? others : [...others, { repo, ...pause }] }, all);
}

function parseRepoPause(value: unknown, what: string): RepoPause {
  const fields = new Fields(value, what);
  const parsed = { repo: fields.text('repo', parseRepoId), ...takePause(fields, what) };
  fields.end();
  return parsed;
}

function parsePause(value: unknown, what: string): Pause {
  const fields = new Fields(value, what);
  const pause = takePause(fields, what);
  fields.end();
  return pause;
}

function takePause(fields: Fields, what: string): Pause {
  const pause: Pause = { since: fields.count('since'), ...fields.parseOptional('until', (name) => fields.count(name)) };
  if (pause.until !== undefined && pause.until <= pause.since) throw new InputFault(`${what}.until`, 'is not after since');
  return pause;
}
