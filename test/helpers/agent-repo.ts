// One shared repository as the agent holds it, on a real git repository. Rule: what another device says is signed with its own key.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { IsolatedRepo } from '../../src/git/isolated.ts';
import { ObjectReader } from '../../src/git/object-reader.ts';
import { createRunGit, createStartGit } from '../../src/git/run.ts';
import { openRepository } from '../../src/git/repository.ts';
import type { RepoContext } from '../../src/agent/context.ts';
import { MapStore } from '../../src/agent/maps.ts';
import type { SignedCounter } from '../../src/agent/maps-format.ts';
import { Transfers } from '../../src/agent/transfers.ts';
import type { Transfer } from '../../src/agent/transfers.ts';
import type { SharedRepo } from '../../src/home/repos.ts';
import { realClock } from '../../src/lib/clock.ts';
import { encodeBase64 } from '../../src/lib/base64.ts';
import { parseDeviceId, parseOid, parseRefName } from '../../src/lib/names.ts';
import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import { signMap } from '../../src/sync/map-format.ts';
import type { RefsOfMap } from '../../src/sync/map-format.ts';
import type { DeviceKey } from './device-key.ts';
import { makeSharedRepo } from './home-values.ts';
import { cleanEnv, git, makeFolder, makeRepo } from './repo.ts';
import type { TestRepo } from './repo.ts';

export interface AgentRepo extends RepoContext {
  readonly repo: TestRepo;
  /** The agent starts again: all that it knows is what was stored. */
  reopen(): Promise<AgentRepo>;
}

export async function openAgentRepo(
  repo: TestRepo = makeRepo(),
  options: { readonly shared?: Partial<SharedRepo>; readonly stateDir?: string; readonly pins?: readonly DeviceKey[]; readonly me?: DeviceId } = {},
): Promise<AgentRepo> {
  const stateDir = options.stateDir ?? makeFolder();
  const runGit = createRunGit(cleanEnv());
  const startGit = createStartGit(cleanEnv());
  const repository = await openRepository(runGit, repo.dir);
  const shared = makeSharedRepo('notes', { path: repository.path, gitDir: repository.gitDir, ...options.shared });
  const maps = new MapStore(shared.id, { runGit, repository }, join(stateDir, 'maps.json'));
  await maps.open((device) => options.pins?.find((key) => key.device === device)?.spki);
  return {
    me: options.me ?? parseDeviceId('0'.repeat(32)),
    repo,
    repository,
    maps,
    runGit,
    startGit,
    objects: new ObjectReader(startGit, repository),
    isolated: new IsolatedRepo(runGit, repository, join(stateDir, 'merge')),
    stateDir,
    transfers: new Transfers({ clock: realClock, events: { emit: () => undefined } }),
    shared: () => shared,
    reopen: () => openAgentRepo(repo, { ...options, stateDir }),
  };
}

/** A transfer that nobody looks at. */
export const untold: Transfer = { part: () => undefined, end: () => undefined };

/** The same repository in another folder: cheaper than to make it again. */
export function copyOf(repo: TestRepo): TestRepo {
  const dir = makeFolder();
  cpSync(repo.dir, dir, { recursive: true });
  return { dir, gitDir: repo.dir === repo.gitDir ? dir : join(dir, '.git') };
}

/** Branches and tags by short text: `refs('main', oid, 'refs/tags/v1', oid)`. */
export function refsOf(entries: Readonly<Record<string, Oid | string>>): Map<RefName, Oid> {
  return new Map(
    Object.entries(entries).map(([name, oid]) => [parseRefName(name.startsWith('refs/') ? name : `refs/heads/${name}`), parseOid(oid)] as const),
  );
}

/** A device's statement of `refs` at `counter`. */
export function signAs(key: DeviceKey, context: RepoContext, said: { readonly counter: number; readonly refs: RefsOfMap }): SignedCounter {
  const statement = { repo: context.shared().id, device: key.device, ...said };
  return { counter: said.counter, signature: encodeBase64(signMap(statement, key.keyPem)) };
}

/** Takes in a device's map as if it had come from it; its objects must be there. */
export async function takeMap(context: RepoContext, key: DeviceKey, said: { readonly counter: number; readonly refs: RefsOfMap }): Promise<void> {
  const isTaken = await context.maps.acceptRecorded(key.device, signAs(key, context, said), { refs: said.refs, spki: key.spki });
  if (!isTaken) throw new Error('the map was not taken in');
}

/** The refs below a prefix, with their oids, by the rest of their names. */
export function refsBelow(repo: TestRepo, prefix: string): Record<string, string> {
  const lines = git(repo.dir, 'for-each-ref', '--format=%(refname) %(objectname)', prefix).split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0]?.slice(prefix.length) ?? '', line.split(' ')[1] ?? '']));
}

/** What lies in a device's corner. */
export function cornerIn(repo: TestRepo, device: DeviceId): Record<string, string> {
  return refsBelow(repo, `refs/xmpp/${device}/`);
}
