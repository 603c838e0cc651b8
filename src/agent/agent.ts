// What the agent can be asked at its door, each as one method (docs/git-xmpp.1). Rule: parsed already when it comes here, checked against
// what is known, done by the part it belongs to, answered in the words of `answers.ts`.

import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseBareJid } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { parsePetname } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import type { Account } from '../home/account.ts';
import { setDeviceName } from '../home/identity.ts';
import type { Peer, Peers } from '../home/peers.ts';
import type { Repos, SharedRepo } from '../home/repos.ts';
import { openRepository, readGitConfig, setGitConfig, unsetGitConfig } from '../git/repository.ts';
import type { LoginAnswer, PairLine, PairedAnswer, ReposAnswer, ShareAnswer, StatusAnswer } from './answers.ts';
import { checkOutPushed } from './checkout.ts';
import { collectStatus } from './collect.ts';
import { ensureRemote } from './mirror.ts';
import { Pairing } from './pairing.ts';
import type { ShowOptions, TypeOptions } from './pairing.ts';
import type { AgentParts } from './parts.ts';
import { askRepos } from './peer-repos.ts';
import { repoLog } from './repo-log.ts';
import type { LogAnswer } from './repo-log.ts';
import { shareRepository } from './share.ts';
import type { ShareRequest } from './share.ts';
import { peerStatus } from './status.ts';
import { findPeer } from './streams.ts';

const SYNC_DEADLINE_MS = 120_000;

/** One agent on one home. */
export class Agent {
  readonly parts: AgentParts;
  readonly pairing: Pairing;

  constructor(parts: AgentParts) {
    this.parts = parts;
    const { peering, account } = parts;
    this.pairing = new Pairing({
      ...parts,
      identity: () => peering.identity,
      requireConnection: () => account.requireConnection(),
      checkCard: (card) => peering.devices.checkCard(card),
      onPaired: (peer, role) => peering.paired(peer, role),
    });
    peering.onUp = (connection) => this.pairing.restoreInvites(connection);
  }

  /** Opens the repositories, then signs in; answers at the door meanwhile. */
  async start(): Promise<void> {
    await this.parts.peering.repoSet.start();
    await this.parts.peering.devices.start();
    this.parts.wake.start();
    await this.parts.account.start();
  }

  async stop(): Promise<void> {
    this.parts.wake.stop();
    this.parts.pauses.stop();
    await Promise.all([this.parts.hooks.stop(), this.parts.peering.stop()]);
    await this.parts.account.stop();
  }

  async login(asked: { readonly account: Account; readonly password: string; readonly device: string | undefined }, signal: AbortSignal): Promise<LoginAnswer> {
    const { account, home, peering } = this.parts;
    const answer = await account.login(asked.account, asked.password, signal);
    if (asked.device !== undefined) {
      await setDeviceName(home, asked.device);
      peering.identity = { ...peering.identity, name: asked.device };
    }
    return answer;
  }

  async logout(): Promise<void> {
    const { contacts } = this.parts.peering;
    await contacts.bye();
    contacts.stop();
    this.parts.peering.reachable.look();
    await this.parts.account.logout();
  }

  async *pair(options: ShowOptions): AsyncGenerator<PairLine> {
    this.parts.peering.devices.requireOwnKey();
    for await (const line of this.pairing.show(options)) {
      yield line.type === 'new-peer' ? { type: 'paired', ...(await this.#paired(line.peer)) } : line;
    }
  }

  async join(given: TypeOptions): Promise<PairedAnswer> {
    this.parts.peering.devices.requireOwnKey();
    return this.#paired(await this.pairing.type(given));
  }

  async rename(peer: string, name: string): Promise<void> {
    const { peers, peering } = this.parts;
    const before = findPeer(peers, peer);
    await peers.rename(before.device, parsePetname(name));
    await peering.remotes.renamed(before, name, peering.repoSet.all());
  }

  async share(request: ShareRequest): Promise<ShareAnswer> {
    const { runGit, peering } = this.parts;
    if (request.isFolder) await makeFolder(runGit, request.path);
    const before = this.parts.repos.byPath(resolve(request.path))?.id;
    this.parts.pauses.requireRunning(before);
    const result = await shareRepository({ ...this.parts, links: peering.links }, request);
    if (before !== undefined && before !== result.shared.id) peering.repoSet.close(before);
    if (request.isFolder) await keepFolder(runGit, result.shared);
    const loop = await peering.repoSet.open(result.shared.id);
    peering.regrant(result.shared.id);
    if (loop === undefined) throw peering.repoSet.problem(result.shared.id) ?? new Fault('internal', 'the repository was not opened');
    for (const { peer, name } of result.at) await ensureRemote(loop.context, peer.petname, name);
    await this.#contactAll();
    const { name, id, path } = result.shared;
    const inSync = this.parts.peers.list().filter((peer) => loop.context.maps.signed(peer.device) !== undefined);
    return { name, id, path, device: peering.identity.name, how: result.how, words: result.words, peers: inSync.map(({ petname }) => petname), unwatched: peering.repoSet.unwatched(id) };
  }

  async unshare(path: string): Promise<{ readonly name: string }> {
    const shared = await this.shared(path);
    this.parts.peering.repoSet.close(shared.id);
    await this.parts.repos.remove(shared.id);
    this.parts.peering.regrant(shared.id);
    await this.parts.pauses.forget(shared.id);
    await unsetGitConfig(this.parts.runGit, shared, 'xmpp.id');
    return { name: shared.name };
  }

  async listRepos(peer: string | undefined): Promise<ReposAnswer> {
    const { repos, peers, peering, clock } = this.parts;
    if (peer === undefined) return { repos: repos.list().map(({ name, id, path }) => ({ name, id, path })) };
    this.parts.pauses.requireRunning();
    const found = await askRepos(peering.links, clock, findPeer(peers, peer).device);
    return { repos: found.map(({ name, repo, roots: _roots, ...more }) => ({ name, id: repo, ...more })) };
  }

  status(): Promise<StatusAnswer> {
    return collectStatus(this.parts);
  }

  /** What moved by itself in a repository, and what was left. */
  async log(path: string): Promise<LogAnswer> {
    const shared = await this.shared(path);
    const loop = this.parts.peering.repoSet.byId(shared.id);
    if (loop === undefined) throw this.parts.peering.repoSet.problem(shared.id) ?? new Fault('not-open', `${path} is not open yet`, { remedy: 'try again in a moment' });
    return { name: shared.name, path: shared.path, entries: await repoLog(loop.context) };
  }

  /** Looks and compares now, and waits until every peer that is there has what it lacked. */
  async sync(path: string | undefined): Promise<StatusAnswer> {
    const { peering, account, clock, pauses } = this.parts;
    const wanted = path === undefined ? undefined : (await this.shared(path)).id;
    pauses.requireRunning(wanted);
    const loops = peering.repoSet.all().filter(({ context }) => wanted === undefined || context.shared().id === wanted);
    // Hubs need no account.
    await Promise.all(loops.map(({ hubs }) => hubs.contact()));
    account.requireConnection();
    await Promise.all(loops.map((loop) => loop.look()));
    await this.#contactAll();
    const until = clock.now() + SYNC_DEADLINE_MS;
    await Promise.all(loops.map((loop) => loop.settled(Math.max(0, until - clock.now()))));
    return collectStatus(this.parts);
  }

  /** The hook of a person's push: moves index and work tree by the one safe path; git itself then moves the branch. */
  checkOut(asked: { readonly gitDir: string; readonly to: Oid }): Promise<void> {
    return checkOutPushed(this.parts.peering.repoSet.all(), asked);
  }

  async #paired(peer: Peer): Promise<PairedAnswer> {
    const { peering, clock } = this.parts;
    const status = peerStatus(peer, { isOnline: peering.contacts.isOnline(peer.device), links: peering.linkStats(peer.device) });
    const repos = await askRepos(peering.links, clock, peer.device).catch(() => []);
    const hasOthers = peer.kind === 'own' && this.parts.peers.list().some(({ kind, device, via }) => kind === 'own' && device !== peer.device && via === undefined);
    return { peer: status, repos: repos.map(({ name }) => name), hasOthers };
  }

  async #contactAll(): Promise<void> {
    const { peers, peering } = this.parts;
    await Promise.all(peers.list().map(({ device }) => peering.contacts.contact(device)));
  }

  /** @throws Fault `no-such-repo` */
  async shared(path: string): Promise<SharedRepo> {
    const { repos, runGit } = this.parts;
    const known = repos.byPath(path) ?? repos.byPath((await openRepository(runGit, path)).path);
    if (known === undefined) throw new Fault('no-such-repo', `${path} is not shared`, { remedy: 'git xmpp share' });
    return known;
  }
}

/** The repository that a person named, told apart from those there are. */
export function noSuchRepo(name: string, repos: Repos): Fault {
  const names = repos.list().map((repo) => repo.name);
  return new Fault('no-such-repo', `no repository called "${name}" is shared here`, {
    remedy: names.length === 0 ? 'git xmpp share, in a repository' : `shared are: ${names.join(', ')}`,
  });
}

/** Makes a folder a repository for `--folder`; what would share too much, or nest repositories, is refused. */
async function makeFolder(runGit: RunGit, path: string): Promise<void> {
  const folder = resolve(path);
  if (folder === '/' || folder === homedir()) {
    throw new Fault('refused-repository', `${folder} is too much to share`, { remedy: 'choose a folder inside it' });
  }
  try {
    await stat(`${folder}/.git`);
    return;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw asFault(error, `looking into ${folder}`);
  }
  const above = await runGit(['rev-parse', '--show-toplevel'], { dir: dirname(folder), okCodes: [0, 128] });
  if (above.exitCode === 0) throw new Fault('refused-repository', `${folder} lies inside the repository ${above.stdout.trim()}`);
  await mkdir(folder, { recursive: true });
  await runGit(['init', '--quiet'], { dir: folder });
}

/** A folder that is to be the same everywhere commits by itself and merges, unless its person has said otherwise. */
async function keepFolder(runGit: RunGit, { path }: SharedRepo): Promise<void> {
  const repository = await openRepository(runGit, path);
  const config = await readGitConfig(runGit, repository);
  if (!config.has('xmpp.autocommit')) await setGitConfig(runGit, repository, 'xmpp.autoCommit', 'true');
  if (!config.has('xmpp.merge')) await setGitConfig(runGit, repository, 'xmpp.merge', 'merge');
}

/** Accounts that `--with` names: a peer by its petname stands for its account. */
export function readAudience(peers: Peers, names: readonly string[]): readonly BareJid[] {
  return [...new Set(names.map((name) => (name.includes('@') ? parseBareJid(name) : findPeer(peers, name).jid)))];
}
