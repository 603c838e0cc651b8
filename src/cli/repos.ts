// `git xmpp share`, `unshare`, `grant`, `repos`, `sync`. Rule: a command says what it did, where the other copies are, and
// what comes next.

import { resolve } from 'node:path';
import { Fault } from '../lib/errors.ts';
import { parseGrant } from '../lib/names.ts';
import type { ReposAnswer, ShareAnswer, StatusAnswer } from '../agent/answers.ts';
import type { Door } from './door.ts';
import { completeStatus } from './older-format.ts';
import { print, say, table } from './out.ts';
import { lookOf, widthOf } from './terminal.ts';
import { syncing } from './waiting-format.ts';

/** A little more than the agent itself takes at most. */
const SYNC_DEADLINE_MS = 180_000;

export interface ShareOptions {
  readonly with?: readonly string[];
  readonly read?: boolean;
  readonly offer?: boolean;
  readonly write?: boolean;
  readonly branches?: readonly string[];
  readonly join?: string;
  readonly new?: boolean;
  readonly folder?: boolean;
}

/** Shares a repository: joins the same one of an own device, or founds it. */
export async function share(door: Door, path: string, options: ShareOptions): Promise<void> {
  const answer = await door.ask<ShareAnswer>('POST', '/share', {
    path: resolve(path),
    with: options.with,
    grant: (['read', 'offer', 'write'] as const).find((each) => options[each] === true),
    branches: options.branches,
    join: options.join,
    isNew: options.new === true,
    isFolder: options.folder === true,
  });
  say(`${answer.name}: ${answer.words}`);
  if (answer.unwatched !== undefined) say(`but ${answer.unwatched}; until then what changes there is found within a minute`);
  if (answer.peers.length > 0) say(`also at: ${answer.peers.join(', ')}`);
  else if (answer.how === 'founded') say(`your other devices get it by: git xmpp clone ${answer.device}/${answer.name}`);
}

export async function unshare(door: Door, path: string): Promise<void> {
  const { name } = await door.ask<{ name: string }>('POST', '/unshare', { path: resolve(path) });
  say(`${name} is not shared any more; its branches and remotes stay as they are`);
}

export async function grant(door: Door, asked: { readonly peer: string; readonly repo: string; readonly level: string; readonly branches: readonly string[] }): Promise<void> {
  const { peer, repo, level, branches } = asked;
  await door.ask('POST', '/grant', { peer, repo, grant: parseGrant(level), branches });
  say(`${peer} may ${level === 'none' ? 'not see' : level} ${repo} now${branches.length === 0 ? '' : `: its branches ${branches.join(' ')} alone`}`);
}

/** What is shared here, or what a peer shows. */
export async function listRepos(door: Door, peer: string | undefined): Promise<void> {
  const query = peer === undefined ? '' : `?peer=${encodeURIComponent(peer)}`;
  const { repos } = await door.ask<ReposAnswer>('GET', `/repos${query}`);
  if (repos.length === 0) return say(peer === undefined ? 'nothing is shared here yet: git xmpp share' : `${peer} shows no repository`);
  for (const line of table(repos.map((repo) => rowOf(repo, peer)))) print(line);
}

function rowOf({ name, path, standing }: ReposAnswer['repos'][number], peer: string | undefined): readonly string[] {
  if (path !== undefined) return [name, path];
  return [`${peer ?? ''}/${name}`, ...(standing === undefined ? [] : [standing === 'paused' ? 'paused there' : 'cannot be opened there at the moment'])];
}

/** Looks, compares and offers now; waits until all peers that are there have what they lack. */
export async function sync(door: Door, path: string | undefined): Promise<void> {
  const status = await door.ask<StatusAnswer>('POST', '/sync', path === undefined ? {} : { path: resolve(path) }, SYNC_DEADLINE_MS, () =>
    door.running<StatusAnswer>('/status').then((now) => syncing(completeStatus(now), { ...lookOf(process.stderr), width: widthOf(process.stderr) - 1 })),
  );
  for (const repo of status.repos) for (const peer of repo.peers) print(`${repo.name}  ${peer.peer}  ${peer.state}${peer.isOnline ? '' : ' (offline)'}`);
  const at = path === undefined ? undefined : resolve(path);
  const asked = status.repos.filter((repo) => at === undefined || at === repo.path || at.startsWith(`${repo.path}/`));
  for (const { name, problem } of asked) if (problem !== undefined) throw new Fault(problem.code, `${name}: ${problem.message}`);
}
