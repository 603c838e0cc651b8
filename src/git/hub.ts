// Fetching from and pushing to an ordinary remote (git-fetch(1), git-push(1)), by its person's own configuration of it. Rule: nothing may ask on a
// terminal; only refs/xmpp/hubs/<remote>/ is written by our refspecs, and the remote's own tracking refs as git itself would.

import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import type { GitRunOptions, RunGit } from '../lib/git-run.ts';
import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import type { HubRefs, HubTrouble, HubUpdate, PushResult } from '../sync/hub-facts.ts';
import { inRepository, QUIET_CONFIG } from './environment.ts';
import { fsckConfig } from './fsck-format.ts';
import { hubFault, parseListing, parsePushed } from './hub-format.ts';
import { hasCommits, listRefs, updateRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import { lastWords } from './run.ts';

/** A hub as git is asked for it. */
export interface HubPlace {
  readonly runGit: RunGit;
  readonly repository: Repository;
  /** Name of the remote, one that `isHubName` allows. */
  readonly remote: string;
  /** Whether the person has an ssh command of their own (core.sshCommand). */
  readonly hasSshCommand: boolean;
  /** Ends what runs. */
  readonly signal: AbortSignal;
}

/** Longest fetch or push: a first one of something large over a slow line takes hours. A hub that is silent is given up sooner. */
const DEADLINE_MS = 24 * 3_600_000;
/** Refs of a hub take no more than this: about 200 000. */
const MAX_LISTING_BYTES = 16 << 20;
/** Why it failed is read from all that it said. */
const ANY_CODE = Array.from({ length: 256 }, (_none, code) => code);
/** ssh(1): nobody is asked, and a dead connection is noticed within a minute. */
const SSH_COMMAND = 'ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=3';

/** Where a hub's branch or tag lies here: `refs/xmpp/hubs/<remote>/heads/main`. */
function placeOf(remote: string, ref: string): RefName {
  return parseRefName(`refs/xmpp/hubs/${remote}/${ref.slice('refs/'.length)}`);
}

/** What the hub held when it was last fetched. */
export async function refsOfHub({ runGit, repository, remote }: Pick<HubPlace, 'runGit' | 'repository' | 'remote'>): Promise<HubRefs> {
  const prefix = `refs/xmpp/hubs/${remote}/`;
  const all = await listRefs(runGit, repository, [prefix]);
  return new Map([...all].map(([ref, oid]) => [parseRefName(`refs/${ref.slice(prefix.length)}`), oid] as const));
}

/** Brings the hub's branches and tags, `synced/` too; what it lacks is taken away under refs/xmpp/hubs/. @throws Fault that names the hub */
export async function fetchHub(place: HubPlace): Promise<HubRefs> {
  const specs = ['heads', 'tags'].map((kind) => `+refs/${kind}/*:refs/xmpp/hubs/${place.remote}/${kind}/*`);
  const options = ['--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules', '--no-show-forced-updates'];
  await run(place, ['fetch', ...options, '--', place.remote, ...specs], { config: { ...fsckConfig('fetch'), ...remoteConfig(place) } });
  return refsOfHub(place);
}

/** The hub's branches and tags, without their objects. @throws Fault that names the hub */
export async function listHub(place: HubPlace): Promise<HubRefs> {
  const { stdout } = await run(place, ['ls-remote', '--quiet', '--refs', '--heads', '--tags', '--', place.remote], { config: remoteConfig(place), maxBytes: MAX_LISTING_BYTES });
  return parseListing(stdout);
}

/**
 * Changes refs of the hub: our own by a lease on what it is believed to hold, all others forward only.
 * @returns what became of each. @throws Fault that names the hub, when nothing is known of them
 */
export async function pushHub(place: HubPlace, updates: readonly HubUpdate[]): Promise<ReadonlyMap<RefName, PushResult>> {
  const leases = updates.filter(({ isOwn }) => isOwn).map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`);
  const specs = updates.map(({ ref, to }) => `${to ?? ''}:${ref}`);
  const options = ['--porcelain', '--no-verify', '--no-signed', '--no-follow-tags', '--no-atomic', '--recurse-submodules=no', ...leases];
  const { stdout, stderr, exitCode } = await run(place, ['push', ...options, '--', place.remote, ...specs], { config: remoteConfig(place), okCodes: [0, 1] });
  const results = parsePushed(stdout, stderr);
  if (exitCode !== 0 && results.size === 0) throw hubFault(place.remote, { words: wordsOf(stderr) });
  if (!place.signal.aborted) await notePushed(place, updates.filter(({ ref }) => results.get(ref) === 'done'));
  return results;
}

/** What went through is what the hub holds, as a fetch would find it. A lost race says that a fetch has found it. */
async function notePushed({ runGit, repository, remote }: HubPlace, done: readonly HubUpdate[]): Promise<void> {
  const held = await listRefs(runGit, repository, [`refs/xmpp/hubs/${remote}/`]);
  const changes = done.map(({ ref, to }) => ({ ref: placeOf(remote, ref), from: held.get(placeOf(remote, ref)), to }));
  await updateRefs(runGit, repository, changes.filter(({ from, to }) => from !== to), { message: 'xmpp: hub' });
}

/** Whether a hub's history has anything to do with ours. One without a commit has, and so has one that we know nothing against. */
export async function isRelated({ runGit, repository }: Pick<HubPlace, 'runGit' | 'repository'>, ours: HubRefs, hub: HubRefs): Promise<boolean> {
  const heads = (refs: HubRefs): (readonly [RefName, Oid])[] => [...refs].filter(([ref]) => ref.startsWith('refs/heads/'));
  const known = await hasCommits(runGit, repository, [...hub.values()]);
  const [here, there] = [heads(ours), heads(hub).filter(([, oid]) => known.has(oid))];
  if (here.length === 0 || there.length === 0) return true;
  const tips = new Set(here.map(([, oid]) => oid));
  if (there.some(([, oid]) => tips.has(oid))) return true;
  const meets = async (one: Oid, other: Oid): Promise<boolean> => {
    const { exitCode } = await runGit(['merge-base', one, other], { ...inRepository(repository), okCodes: [0, 1] });
    return exitCode === 0;
  };
  for (const [ref, oid] of there) {
    const same = ours.get(ref);
    if (same !== undefined && (await meets(same, oid))) return true;
  }
  const roots = async (oids: readonly Oid[]): Promise<string[]> => {
    const { stdout } = await runGit(['rev-list', '--max-parents=0', '--stdin'], { ...inRepository(repository), input: oids.map((oid) => `${oid}\n`).join('') });
    return stdout.split('\n').filter((line) => line !== '');
  };
  const theirs = new Set(await roots(there.map(([, oid]) => oid)));
  return (await roots([...tips])).some((root) => theirs.has(root));
}

/** What a failed fetch or push means for the machine. */
export function troubleOf(fault: Fault): HubTrouble {
  const kind = 'kind' in fault && fault.kind === 'person' ? 'person' : 'passing';
  return { kind, words: fault.remedy === undefined ? fault.message : `${fault.message}; ${fault.remedy}` };
}

async function run(place: HubPlace, args: readonly string[], options: GitRunOptions): Promise<Awaited<ReturnType<RunGit>>> {
  const { dir, env } = inRepository(place.repository);
  const ssh = place.hasSshCommand ? {} : { GIT_SSH_COMMAND: SSH_COMMAND };
  const how = { ...options, dir, env: { ...env, ...ssh }, session: place.signal, deadlineMs: DEADLINE_MS, okCodes: ANY_CODE };
  const result = await place.runGit(args, how).catch((error: unknown) => {
    const fault = asFault(error, `asking ${place.remote}`);
    throw hubFault(place.remote, { code: fault.code, words: fault.message });
  });
  if (!(options.okCodes ?? [0]).includes(result.exitCode)) throw hubFault(place.remote, { words: wordsOf(result.stderr) });
  return result;
}

/** What git and ssh said, without what git says after every failure: the reason stands before it. */
function wordsOf(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^fatal: Could not read from remote|^Please make sure you have|^and the repository exists|^error: failed to push some refs/.test(line));
  return lastWords(lines.join('\n')) || lastWords(stderr) || 'git said nothing';
}

/** The person's configuration holds but for what would sign, ask, push more, or start something of the repository's own. */
function remoteConfig({ remote }: HubPlace): Readonly<Record<string, string>> {
  return {
    ...QUIET_CONFIG,
    [`remote.${remote}.mirror`]: 'false',
    'fetch.writeCommitGraph': 'false',
    'fetch.pruneTags': 'false',
    'push.gpgSign': 'false',
    'color.ui': 'never',
    'color.push': 'never',
    'color.transport': 'never',
    'http.lowSpeedLimit': '1',
    'http.lowSpeedTime': '60',
  };
}
