// Which repositories a peer shows us, asked over a link. Rule: parsed strictly and bounded; a name is looked up there, never guessed.

import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { parseOid, parseRefName, parseRepoId, parseRepoName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName, RepoId } from '../lib/names.ts';
import { headOf, listRefs } from '../git/refs.ts';
import { rootCommits, storedBytes } from '../git/repository.ts';
import type { Peer } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import { requestJson } from '../link/services.ts';
import { MAX_REPOS, parseRecord, parseText } from '../sync/digest-format.ts';
import type { RepoContext } from './context.ts';
import { shownTo } from './shown-branches.ts';

/** One repository as a peer shows it. */
export interface PeerRepo {
  readonly repo: RepoId;
  readonly name: string;
  /** Its first commits; empty for a repository without any. */
  readonly roots: readonly Oid[];
  /** What a clone checks out: the branch that HEAD names, or the commit of a detached one; absent where the sharing hides it. */
  readonly head?: RefName | Oid;
  /** About what a clone receives; absent where only some branches are shown. */
  readonly bytes?: number;
  /** Why it does not run there at the moment; absent for one that does. */
  readonly standing?: Standstill;
}

/** Codes of what is told of one that does not run. */
export type Standstill = 'paused' | 'not-open';

/** What a peer is shown of a repository that it may read. */
export async function formatShownRepo({ runGit, repository, shared }: Pick<RepoContext, 'runGit' | 'repository' | 'shared'>, to: Peer): Promise<object> {
  const { id, name } = shared();
  const roots = (await rootCommits(runGit, repository)).slice(0, 16);
  const head = await headOf(runGit, repository);
  const tip = 'branch' in head ? head.branch : 'unborn' in head ? head.unborn : head.detached;
  const shown = await shownTo(shared(), to, () => listRefs(runGit, repository, ['refs/heads/']));
  if (shown === undefined) return { repo: id, name, roots, head: tip, bytes: await storedBytes(runGit, repository) };
  return { repo: id, name, roots, ...(shown.some((branch) => tip === `refs/heads/${branch}`) ? { head: tip } : {}) };
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
    const { repo, name, roots, head, bytes, standing } = parseRecord(each, 'repository');
    if (!Array.isArray(roots) || roots.length > 16) throw new InputFault('repository', 'has no list of at most 16 first commits');
    return {
      repo: parseRepoId(parseText(repo, 'repo id')),
      name: parseRepoName(parseText(name, 'repo name')),
      roots: roots.map((oid) => parseOid(parseText(oid, 'object id'))),
      ...(head === undefined ? {} : { head: parseHead(parseText(head, 'head')) }),
      ...(bytes === undefined ? {} : { bytes: parseBytes(bytes) }),
      ...(standing === undefined ? {} : { standing: standing === 'paused' ? 'paused' : 'not-open' }),
    };
  });
}

/** @throws InputFault */
export function parseHead(text: string): RefName | Oid {
  return text.startsWith('refs/heads/') ? parseRefName(text) : parseOid(text);
}

function parseBytes(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new InputFault('repository', 'has a size that is no number of bytes');
  return value;
}
