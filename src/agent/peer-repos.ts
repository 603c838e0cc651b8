// Which repositories a peer shows us, asked over a link. Rule: parsed strictly and bounded; a name is looked up there, never guessed.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { parseOid, parseRepoId, parseRepoName } from '../lib/names.ts';
import type { DeviceId, Oid, RepoId } from '../lib/names.ts';
import type { Peer } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import { requestJson } from '../link/services.ts';
import { MAX_REPOS, parseRecord, parseText } from '../sync/digest-format.ts';

/** One repository as a peer shows it. */
export interface PeerRepo {
  readonly repo: RepoId;
  readonly name: string;
  /** Its first commits; empty for a repository without any. */
  readonly roots: readonly Oid[];
}

const ANSWER_DEADLINE_MS = 10_000;

/** @throws Fault `peer-offline`, or InputFault when the peer answers nonsense */
export async function askRepos(links: Links, clock: Clock, peer: DeviceId): Promise<readonly PeerRepo[]> {
  const options = { clock, deadlineMs: ANSWER_DEADLINE_MS };
  return parsePeerRepos(await links.ask(peer, (session) => requestJson(session, { method: 'GET', path: '/repos' }, options)));
}

/** The repository that `peer` calls `name`. @throws Fault `no-such-repo` naming what there is */
export async function findPeerRepo(links: Links, clock: Clock, asked: { readonly peer: Peer; readonly name: string }): Promise<PeerRepo> {
  const repos = await askRepos(links, clock, asked.peer.device);
  const found = repos.find(({ name }) => name === asked.name);
  if (found !== undefined) return found;
  const names = repos.map(({ name }) => name).join(', ');
  throw new Fault('no-such-repo', `${asked.peer.petname} shows no repository "${asked.name}"`, {
    remedy: names === '' ? `share it there: git xmpp share` : `it shows: ${names}`,
  });
}

/** @throws InputFault */
export function parsePeerRepos(value: unknown): readonly PeerRepo[] {
  const { repos } = parseRecord(value, 'list of repositories');
  if (!Array.isArray(repos) || repos.length > MAX_REPOS) throw new InputFault('list of repositories', `is none of at most ${MAX_REPOS}`);
  return repos.map((each) => {
    const { repo, name, roots } = parseRecord(each, 'repository');
    if (!Array.isArray(roots) || roots.length > 16) throw new InputFault('repository', 'has no list of at most 16 first commits');
    return {
      repo: parseRepoId(parseText(repo, 'repo id')),
      name: parseRepoName(parseText(name, 'repo name')),
      roots: roots.map((oid) => parseOid(parseText(oid, 'object id'))),
    };
  });
}
