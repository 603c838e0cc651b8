// What `git xmpp doctor` tells, and how facts about the machine become it (docs/git-xmpp.1). Rule: one line for each link of the chain, in the same words
// for people and for `--json`; what is not well says what to do; what was not tried says because of what.

import { isAtLeast } from '../home/check-format.ts';
import type { Misplaced, WatchFacts } from '../home/check.ts';
import type { ServiceState } from '../home/service.ts';

/** Links of the chain, in the order that they are told; the names are stable. */
export const CHECK_IDS = [
  'git',
  'files',
  'watches',
  'service',
  'config',
  'account',
  'password',
  'dns',
  'tcp',
  'tls',
  'sign-in',
  'stream-management',
  'limits',
  'clock',
  'pep',
  'proxy',
  'in-band',
  'agent',
  'repository',
  'peer',
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/** `warn`: it works, and may be better; `broken`: something does not work until it is mended; `not-tried`: what it stands on is broken or absent. */
export type CheckState = 'ok' | 'warn' | 'broken' | 'not-tried';

/** One line of the doctor's. */
export interface Check {
  readonly id: CheckId;
  /** Which of several it is about: a proxy's address, a peer's or a repository's name. */
  readonly about?: string;
  readonly state: CheckState;
  readonly words: string;
  /** The code of what went wrong, as everywhere (`FaultCode`). */
  readonly code?: string;
  readonly remedy?: string;
  /** What was measured; names are stable, times in milliseconds, rates in bytes a second. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** `git xmpp doctor --json`. */
export interface DoctorReport {
  readonly version: 1;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Whether nothing is broken. */
  readonly isWell: boolean;
  readonly checks: readonly Check[];
}

const GIT_NEEDED = [2, 38, 0];
/** So much of the system's watches may be used before it is worth a word. */
const MUCH_USED = 0.9;

/** @param fault why it is broken */
export function broken(id: CheckId, fault: Pick<Check, 'code'> & { readonly message: string; readonly remedy?: string | undefined }, more: Partial<Check> = {}): Check {
  const { code, message, remedy } = fault;
  return { id, state: 'broken', words: message, ...(code === undefined ? {} : { code }), ...(remedy === undefined ? {} : { remedy }), ...more };
}

/** @param because what it stands on, in words */
export function notTried(ids: readonly CheckId[], because: string): Check[] {
  return ids.map((id) => ({ id, state: 'not-tried', words: `not tried: ${because}` }));
}

export function isWell(checks: readonly Check[]): boolean {
  return !checks.some(({ state }) => state === 'broken');
}

/** @param version as `parseGitVersion` gives it */
export function judgeGit(version: readonly [number, number, number] | undefined): Check {
  const remedy = `install git ${GIT_NEEDED.slice(0, 2).join('.')} or newer`;
  if (version === undefined) return { id: 'git', state: 'broken', code: 'git', words: 'git does not tell its version', remedy };
  const words = `git ${version.join('.')}`;
  if (isAtLeast(version, GIT_NEEDED)) return { id: 'git', state: 'ok', words };
  return { id: 'git', state: 'broken', code: 'git', words: `${words} is too old`, remedy };
}

export function judgeFiles(dir: string, found: readonly Misplaced[]): Check {
  const [first] = found;
  if (first === undefined) return { id: 'files', state: 'ok', words: `${dir}, and all in it, is for its owner alone` };
  const more = found.length === 1 ? '' : `, and ${found.length - 1} more`;
  const isForeign = found.some(({ remedy }) => remedy === undefined);
  return {
    id: 'files',
    state: isForeign ? 'broken' : 'warn',
    code: 'permissions',
    words: `${first.path} ${first.why}${more}`,
    remedy: first.remedy ?? 'give it back to its owner, or set GIT_XMPP_HOME to a folder of your own',
  };
}

/** @param unwatched repositories that the agent could not watch, in its words */
export function judgeWatches(facts: WatchFacts | undefined, unwatched: readonly string[] = []): Check {
  if (facts === undefined && unwatched.length === 0) return { id: 'watches', state: 'ok', words: 'this system has no limit of watched folders, or does not tell it' };
  const { limit = 0, used = 0, byAgent = 0, instances = 0, maxInstances = 0, isPartial = false } = facts ?? {};
  const count = `${isPartial ? 'at least ' : ''}${used} of ${limit} watched folders are used, ${byAgent} of them by the agent`;
  const remedy = `sudo sysctl fs.inotify.max_user_watches=${Math.max(1_048_576, 2 * limit)}`;
  const common = { id: 'watches', facts: { limit, used, byAgent, instances, maxInstances } } as const;
  const [first] = unwatched;
  if (first !== undefined) return { ...common, state: 'broken', code: 'watch-limit', words: `${first}; ${count}`, remedy };
  if (used >= limit * MUCH_USED) return { ...common, state: 'warn', code: 'watch-limit', words: `${count}: soon what changes is noticed late`, remedy };
  if (instances >= maxInstances * MUCH_USED) {
    const words = `${instances} of ${maxInstances} programs that may watch folders do: the agent may not be able to when it is started anew`;
    return { ...common, state: 'warn', code: 'watch-limit', words, remedy: `sudo sysctl fs.inotify.max_user_instances=${2 * maxInstances}` };
  }
  return { ...common, state: 'ok', words: count };
}

/** The service of this home; undefined where none is installed. */
export interface ServiceFacts extends ServiceState {
  readonly name: string;
  readonly logCommand: string;
}

export function judgeService(service: ServiceFacts | undefined): Check {
  if (service === undefined) return { id: 'service', state: 'ok', words: 'none is installed: the agent is started by the first command that needs it' };
  const { name, words: stands, isFailing, isActive, isEnabled, lingers, logCommand } = service;
  const words = `${name} is ${stands}`;
  if (isFailing) return { id: 'service', state: 'broken', code: 'agent', words: `${words}: it does not stay up`, remedy: `its last words: ${logCommand}` };
  if (!isActive) return { id: 'service', state: 'warn', code: 'agent', words: `${words}: it does not run`, remedy: 'git xmpp daemon start' };
  if (!isEnabled) return { id: 'service', state: 'warn', code: 'agent', words: `${words}, and does not begin by itself`, remedy: 'git xmpp service install' };
  return { id: 'service', state: 'ok', words: lingers === false ? `${words}, while its user is signed in` : words };
}
