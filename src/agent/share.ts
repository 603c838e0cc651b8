// `git xmpp share`: joins before it founds (docs/git-xmpp.1). Rule: without a common first commit, or across accounts, nothing is joined
// unless it was asked for; and where several would do, they are listed and nothing changes.

import { basename } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { BareJid } from '../lib/jid.ts';
import { parseRepoId, parseRepoName } from '../lib/names.ts';
import type { Grant, Oid, RepoId } from '../lib/names.ts';
import { openRepository, readGitConfig, rootCommits, setGitConfig } from '../git/repository.ts';
import type { Repository } from '../git/repository.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Repos, SharedRepo } from '../home/repos.ts';
import type { Links } from '../link/links.ts';
import { askRepos, findPeerRepo } from './peer-repos.ts';
import type { PeerRepo } from './peer-repos.ts';
import { isStillThere } from './repo-there.ts';

export interface ShareParts {
  readonly runGit: RunGit;
  readonly repos: Repos;
  readonly peers: Peers;
  readonly links: Links;
  readonly clock: Clock;
  readonly newId: () => RepoId;
}

/** What `git xmpp share` was asked, parsed. */
export interface ShareRequest {
  readonly path: string;
  readonly audience: 'own' | readonly BareJid[] | undefined;
  readonly grant: Grant | undefined;
  /** `peer/repo` of `--join`. */
  readonly join: { readonly peer: Peer; readonly name: string } | undefined;
  readonly isNew: boolean;
  readonly isFolder: boolean;
  readonly branches: readonly string[];
}

export interface ShareResult {
  readonly shared: SharedRepo;
  /** Founded anew, joined a peer's, or only changed. */
  readonly how: 'founded' | 'joined' | 'changed';
  /** The peers that hold it, as far as is known now. */
  readonly at: readonly { readonly peer: Peer; readonly name: string }[];
  /** One line for a person: why it was joined, or the hint after founding. */
  readonly words: string;
}

interface Choice {
  readonly id: RepoId;
  readonly how: ShareResult['how'];
  readonly at: ShareResult['at'];
  readonly words: string;
}

/** Shares the repository at `request.path`. @throws Fault when it is none, or the choice is not clear */
export async function shareRepository(parts: ShareParts, request: ShareRequest): Promise<ShareResult> {
  const repository = await openRepository(parts.runGit, request.path);
  const before = parts.repos.byPath(repository.path);
  const choice = await choose(parts, request, { repository, before });
  const there = parts.repos.byId(choice.id);
  const isElsewhere = there !== undefined && there.path !== repository.path;
  if (isElsewhere && (await isStillThere(parts.runGit, there))) {
    throw new Fault('exists', `this repository is shared already, from ${there.path}`, {
      remedy: `share one clone on each device; "git xmpp unshare ${there.path}" ends that one`,
    });
  }
  const shared = describe({ parts, request, repository, before: isElsewhere ? there : before }, choice);
  if (before !== undefined && before.id !== choice.id) await parts.repos.remove(before.id);
  if (there === undefined) await parts.repos.add(shared);
  else await parts.repos.update(choice.id, shared);
  await setGitConfig(parts.runGit, repository, 'xmpp.id', choice.id);
  if (isElsewhere) return { shared, how: 'changed', at: [], words: `goes on here; it was at ${there.path}` };
  return { shared, how: choice.how, at: choice.at, words: choice.words };
}

async function choose(
  parts: ShareParts,
  request: ShareRequest,
  known: { readonly repository: Repository; readonly before: SharedRepo | undefined },
): Promise<Choice> {
  if (request.join !== undefined) {
    const found = await findPeerRepo(parts.links, parts.clock, request.join);
    const words = `joined ${request.join.peer.petname}/${found.name}, as you asked`;
    return { id: found.repo, how: 'joined', at: [{ peer: request.join.peer, name: found.name }], words };
  }
  if (known.before !== undefined && !request.isNew) {
    return { id: known.before.id, how: 'changed', at: [], words: 'it was shared already' };
  }
  if (request.isNew) return { id: parts.newId(), how: 'founded', at: [], words: 'shared as a repository of its own' };
  return (await chooseByConfig(parts, known.repository)) ?? (await chooseByUrl(parts, known.repository)) ?? chooseByRoot(parts, known.repository);
}

/** A folder that was copied from another device carries the id in its configuration. */
async function chooseByConfig(parts: ShareParts, repository: Repository): Promise<Choice | undefined> {
  const id = (await readGitConfig(parts.runGit, repository)).get('xmpp.id')?.at(-1);
  if (id === undefined) return undefined;
  return { id: parseRepoId(id), how: 'joined', at: [], words: 'shared again under the id that it carries' };
}

/** In a clone of `xmpp::peer/repo` the id is learnt through the URL. */
async function chooseByUrl(parts: ShareParts, repository: Repository): Promise<Choice | undefined> {
  const config = await readGitConfig(parts.runGit, repository);
  for (const [key, values] of config) {
    const [, petname, name] = /^remote\..+\.url$/.test(key) ? (/^xmpp::([^/]+)\/(.+)$/.exec(values.at(-1) ?? '') ?? []) : [];
    const peer = petname === undefined ? undefined : parts.peers.byPetname(petname);
    if (peer === undefined || name === undefined) continue;
    const found = await findPeerRepo(parts.links, parts.clock, { peer, name });
    return { id: found.repo, how: 'joined', at: [{ peer, name }], words: `joined ${petname}/${name}: this is a clone of it` };
  }
  return undefined;
}

async function chooseByRoot(parts: ShareParts, repository: Repository): Promise<Choice> {
  const own = parts.peers.list().filter(({ kind }) => kind === 'own');
  const asked = await Promise.allSettled(own.map(async (peer) => ({ peer, repos: await askRepos(parts.links, parts.clock, peer.device) })));
  const answers = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const roots = await rootCommits(parts.runGit, repository);
  const equal = answers.flatMap(({ peer, repos }) =>
    repos.filter((each) => commonRoot(each, roots) !== undefined).map((each) => ({ peer, name: each.name, each })),
  );
  const ids = new Set(equal.map(({ each }) => each.repo));
  const [first] = equal;
  if (ids.size > 1) {
    const list = equal.map(({ peer, name }) => `git xmpp share --join ${peer.petname}/${name}`).join('\n');
    throw new Fault('exists', 'several repositories have the same first commit, so nothing was changed', { remedy: `choose one:\n${list}` });
  }
  if (first !== undefined) {
    const root = commonRoot(first.each, roots)?.slice(0, 7) ?? '';
    return { id: first.each.repo, how: 'joined', at: equal, words: `joined ${first.peer.petname}/${first.name}: same first commit ${root}` };
  }
  const others = answers.flatMap(({ peer, repos }) => repos.map(({ name }) => `git xmpp share --join ${peer.petname}/${name}`));
  const missing = own.filter(({ device }) => !answers.some(({ peer }) => peer.device === device)).map(({ petname }) => petname);
  const reasons = asked.flatMap((answer) => (answer.status === 'rejected' ? [asFault(answer.reason, 'asking').message] : []));
  const hint = others.length === 0 ? '' : `; to join instead: ${others.slice(0, 3).join(' or ')}`;
  const offline = missing.length === 0 ? '' : ` (${missing.join(', ')} could not be asked: ${[...new Set(reasons)].join('; ')})`;
  return { id: parts.newId(), how: 'founded', at: [], words: `shared${offline}${hint}` };
}

/** The first commit that both have, if any. */
export function commonRoot(there: PeerRepo, here: readonly Oid[]): Oid | undefined {
  return here.find((root) => there.roots.includes(root));
}

function describe(
  { parts, request, repository, before }: {
    readonly parts: ShareParts;
    readonly request: ShareRequest;
    readonly repository: Repository;
    readonly before: SharedRepo | undefined;
  },
  { id, at }: Choice,
): SharedRepo {
  const grants = before?.grants ?? {};
  const granted = request.grant;
  const named = request.audience === undefined || request.audience === 'own' ? [] : request.audience;
  const audience = widen(before?.audience ?? audienceOf(at), named);
  return {
    id: parseRepoId(id),
    name: before?.name ?? freeName(parts.repos, basename(repository.path).replace(/\.git$/, '')),
    path: repository.path,
    gitDir: repository.gitDir,
    audience,
    grants: granted === undefined ? grants : { ...grants, ...Object.fromEntries(named.map((jid) => [jid, granted])) },
    ...(named.length === 0 && granted !== undefined ? { defaultGrant: granted } : {}),
    isFolder: request.isFolder || (before?.isFolder ?? false),
    branches: request.branches.length > 0 ? request.branches : (before?.branches ?? []),
  };
}

/** Naming more accounts takes nothing from those who were named before. */
function widen(audience: SharedRepo['audience'], named: readonly BareJid[]): SharedRepo['audience'] {
  if (named.length === 0) return audience;
  return [...new Set([...(audience === 'own' ? [] : audience), ...named])];
}

/** Who joins another account's repository shares it with that account: its offers are what keeps the clone in step. */
function audienceOf(at: Choice['at']): SharedRepo['audience'] {
  const others = at.filter(({ peer }) => peer.kind === 'other').map(({ peer }) => peer.jid);
  return others.length === 0 ? 'own' : [...new Set(others)];
}

/** The folder's name made valid, with `-2`, `-3`, … when another shared repository has it. */
export function freeName(repos: Repos, wanted: string): string {
  const clean = wanted.replace(/[^\p{L}\p{M}\p{N}._ +-]/gu, '-').replace(/^[^\p{L}\p{N}_]+/u, '') || 'repo';
  // By characters: half of a surrogate pair is none.
  const short = Array.from(clean).slice(0, 90).join('');
  let name = parseRepoName(short);
  for (let count = 2; repos.byName(name) !== undefined; count += 1) name = parseRepoName(`${short}-${count}`);
  return name;
}
