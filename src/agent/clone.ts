// The agent's part of `git xmpp clone` (docs/git-xmpp.1): joins the peer's repository and waits until its map is here. Rule: the transfer
// is the ordinary offer of the peer, so it goes on without anybody waiting for it; this only tells how far it has come.

import { resolve } from 'node:path';
import { delay } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import { readGitConfig } from '../git/repository.ts';
import type { Peer } from '../home/peers.ts';
import type { Agent } from './agent.ts';
import type { CloneLine } from './answers.ts';
import type { RepoContext } from './context.ts';
import type { RepoLoop } from './loop.ts';
import { urlOf, writeMirror } from './mirror.ts';

export interface CloneRequest {
  /** The folder, a repository already. */
  readonly path: string;
  readonly peer: Peer;
  /** What the peer calls the repository. */
  readonly name: string;
}

const TELL_EVERY_MS = 200;
/** Nothing at all has come for so long: whoever waits is told; the transfer itself is not given up. */
const PATIENCE_MS = 3_600_000;

/** Lines until the peer's map is taken in and its mirror written. @throws Fault as sharing, or `timeout` after an hour without a byte */
export async function* cloneLines(agent: Agent, { path, peer, name }: CloneRequest, signal: AbortSignal): AsyncGenerator<CloneLine> {
  const { clock } = agent.parts;
  let loop = await joined(agent, { path, peer, name });
  let [last, heardAt] = ['', clock.now()];
  while (loop.context.maps.signed(peer.device) === undefined) {
    if (signal.aborted) return;
    const told = progressOf(agent, loop, peer);
    if (JSON.stringify(told) !== last) {
      [last, heardAt] = [JSON.stringify(told), clock.now()];
      yield told;
    }
    if (clock.now() - heardAt > PATIENCE_MS) throw new Fault('timeout', `nothing has come from ${peer.petname} for an hour`);
    await delay(TELL_EVERY_MS, clock);
    loop = stillRunning(agent, loop, path);
  }
  await loop.exclusively(() => finish(loop.context, { peer, name }));
  yield { type: 'taken' };
}

/** The loop of the same repository now: it may have been opened anew, as it is while the agent starts. @throws Fault when there is none and will be none */
function stillRunning({ parts: { repos, peering } }: Agent, loop: RepoLoop, path: string): RepoLoop {
  const { id } = loop.context.shared();
  if (repos.byId(id) === undefined) throw new Fault('no-such-repo', `${path} is not shared any more`);
  const problem = peering.repoSet.problem(id);
  if (problem !== undefined) throw problem;
  return peering.repoSet.byId(id) ?? loop;
}

/** The mirror, and every tag: `git clone` takes them all, whoever's they are. */
async function finish(context: RepoContext, { peer, name }: Pick<CloneRequest, 'peer' | 'name'>): Promise<void> {
  const { runGit, repository, maps } = context;
  const config = await readGitConfig(runGit, repository);
  await writeMirror(context, peer.device, { config, url: urlOf(peer.petname, name) });
  const here = await listRefs(runGit, repository, ['refs/tags/']);
  const missing = [...maps.refsOf(peer.device)].filter(([ref]) => ref.startsWith('refs/tags/') && !here.has(ref));
  await updateRefs(runGit, repository, missing.map(([ref, to]) => ({ ref, from: undefined, to })), { message: 'xmpp: clone' });
}

/** The repository as it is shared here; an earlier run has shared it already, and then the peer need not be there. */
async function joined(agent: Agent, { path, peer, name }: CloneRequest): Promise<RepoLoop> {
  const { repos, peering } = agent.parts;
  if (repos.byPath(resolve(path)) === undefined) {
    await agent.share({ path, audience: undefined, grant: undefined, join: { peer, name }, isNew: false, isFolder: false, branches: [] });
  }
  const shared = repos.byPath(resolve(path));
  if (shared === undefined) throw new Fault('no-such-repo', `${path} is not shared any more`);
  const running = peering.repoSet.byId(shared.id);
  const loop = running !== undefined && (await isSame(running.context, peer)) ? running : await peering.repoSet.open(shared.id);
  if (loop === undefined) throw peering.repoSet.problem(shared.id) ?? new Fault('internal', 'the repository was not opened');
  if (loop !== running) void peering.contacts.contact(peer.device);
  return loop;
}

/** Whether the folder still is the one that was opened: another may have been begun in the place of one that was removed. */
async function isSame({ runGit, repository, maps }: RepoContext, { device }: Peer): Promise<boolean> {
  const there = await listRefs(runGit, repository, [`refs/xmpp/${device}/`]);
  return maps.refsOf(device).size === 0 || there.size > 0;
}

function progressOf(agent: Agent, loop: RepoLoop, peer: Peer): Extract<CloneLine, { readonly type: 'progress' }> {
  const { peering, account } = agent.parts;
  const down = account.answer().fault?.message;
  const progress = peering.slices.progress(loop.context.shared().id, peer.device);
  const moving = loop.context.transfers.list(loop.context.shared().id, peer.device).find(({ direction }) => direction === 'down');
  const carrier = peering.links.link(peer.device)?.stats().kind;
  return {
    type: 'progress',
    isOnline: peering.contacts.isOnline(peer.device),
    received: progress?.done ?? 0,
    ...(progress === undefined || progress.total === 0 ? {} : { total: progress.total }),
    ...(moving === undefined ? {} : { rate: moving.rate }),
    ...(moving?.leftMs === undefined ? {} : { leftMs: moving.leftMs }),
    ...(carrier === undefined ? {} : { carrier }),
    ...(down === undefined ? {} : { down }),
  };
}
