// What a person sets for one repository under `xmpp.…` in git's configuration, as values (docs/git-xmpp.1, "CONFIGURATION"). Rule: each is parsed
// strictly; one that cannot be used is named, and the default holds in its place.

import { parseDuration } from '../lib/duration-format.ts';
import { InputFault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import type { Policy } from '../sync/plan.ts';
import { settingReader } from './setting-reader.ts';
import type { ConfigValues } from './setting-reader.ts';
import { parseSynced } from './synced-format.ts';
import type { Synced } from './synced-format.ts';

/** What a person may have a program of theirs told of. */
export const HOOK_EVENTS = ['changed', 'conflict', 'offline'] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export interface RepoPolicy extends Policy {
  /** `xmpp.mergeUnrelated`: histories without a common first commit are merged too. */
  readonly mayMergeUnrelated: boolean;
}

/** Everything that is set for one repository. */
export interface Policies {
  readonly policy: RepoPolicy;
  readonly synced: Synced;
  /** Command lines, by event. */
  readonly hooks: Readonly<Partial<Record<HookEvent, string>>>;
  readonly hookTimeoutMs: number;
  /** Values that cannot be used, and what holds instead. */
  readonly problems: readonly string[];
}

const HOOK_TIMEOUT_MS = 60_000;
const HOOK_TIMEOUT = { min: 1_000, max: 3_600_000 };
const MAX_COMMAND_CHARACTERS = 4096;

/** Reads all of it. @param isFolder whether the repository is shared by `--folder` */
export function parsePolicies(config: ConfigValues, { isFolder }: { readonly isFolder: boolean }): Policies {
  const problems: string[] = [];
  const read = settingReader(config, ({ message }) => problems.push(`${message}; the default holds`));
  const oneOf = <T extends string>(key: string, words: readonly [T, ...T[]]): T => read(key, (text) => parseWord(key, text, words), words[0]);
  const merge = oneOf('xmpp.merge', ['ff', 'merge', 'none']);
  const policy: RepoPolicy = {
    // While `git xmpp clone` still has to check out, nothing moves by itself.
    merge: config.has('xmpp.cloning') ? 'none' : merge,
    mergeFrom: oneOf('xmpp.mergeFrom', ['own', 'all']),
    rewrite: oneOf('xmpp.rewrite', ['follow', 'ask']),
    isFolder,
    mayMergeUnrelated: oneOf('xmpp.mergeUnrelated', ['false', 'true']) === 'true',
  };
  const hooks = Object.fromEntries(HOOK_EVENTS.flatMap((event) => {
    const command = read(`xmpp.hook.${event}`, (text) => parseCommand(`xmpp.hook.${event}`, text), '');
    return command === '' ? [] : [[event, command]];
  }));
  const hookTimeoutMs = read('xmpp.hookTimeout', (text) => parseDuration('xmpp.hookTimeout', text, HOOK_TIMEOUT), HOOK_TIMEOUT_MS);
  const synced = parseSynced(config.get('xmpp.branches') ?? [], (words) => problems.push(words));
  return { policy, synced, hooks, hookTimeoutMs, problems };
}

/** What is not as it is by default, as `key=value` in the order of the manual; empty where all is. */
export function describePolicies({ policy, synced, hooks }: Pick<Policies, 'policy' | 'synced' | 'hooks'>): string[] {
  return [
    ...(policy.merge === 'ff' ? [] : [`merge=${policy.merge}`]),
    ...(policy.mergeFrom === 'own' ? [] : [`mergeFrom=${policy.mergeFrom}`]),
    ...(policy.rewrite === 'follow' ? [] : [`rewrite=${policy.rewrite}`]),
    ...(policy.mayMergeUnrelated ? ['mergeUnrelated'] : []),
    ...(policy.isFolder ? ['folder'] : []),
    ...(synced.globs.length === 0 ? [] : [`branches=${synced.globs.join(' ')}`]),
    ...HOOK_EVENTS.filter((event) => hooks[event] !== undefined).map((event) => `hook.${event}`),
  ];
}

function parseWord<T extends string>(key: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new InputFault(key, `"${shorten(text)}" is none of ${words.join(', ')}`);
  return found;
}

/** An empty one is none, so that a repository can switch off what is set for all. */
function parseCommand(key: string, text: string): string {
  if (text.includes('\0') || text.length > MAX_COMMAND_CHARACTERS) throw new InputFault(key, `is longer than ${MAX_COMMAND_CHARACTERS} characters`);
  return text.trim();
}
