// Remotes of peers: each clone of a shared repository that a peer tells of gets one here, so that plain git reaches it and its mirror
// has a place (docs/PROTOCOL.md, "Maps"). Rule: a remote that has the peer's URL already is used as it is, whatever it is called.

import { asFault } from '../lib/errors.ts';
import { isGranted } from '../lib/names.ts';
import type { RepoId } from '../lib/names.ts';
import { readGitConfig, setGitConfig } from '../git/repository.ts';
import { grantOf } from '../home/repos.ts';
import type { Peer } from '../home/peers.ts';
import type { Digest } from '../sync/digest-format.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';
import { ensureRemote, findRemote, urlOf, writeMirror } from './mirror.ts';

/** Keeps the remotes of all repositories in step with what peers tell. */
export class Remotes {
  readonly #byId: (id: RepoId) => RepoLoop | undefined;
  readonly #events: Events;

  constructor(byId: (id: RepoId) => RepoLoop | undefined, events: Events) {
    this.#byId = byId;
    this.#events = events;
  }

  /** A peer told what it shares, and what it calls it. */
  async heard(peer: Peer, { repos }: Digest): Promise<void> {
    for (const { repo, name } of repos) {
      const loop = this.#byId(repo);
      if (loop === undefined || !isGranted(grantOf(loop.context.shared(), peer), 'read')) continue;
      if (loop.considering.remoteUrls.get(peer.device) === urlOf(peer.petname, name)) continue;
      loop.considering.remoteUrls.set(peer.device, urlOf(peer.petname, name));
      await loop.exclusively(() => this.#add(loop, peer, name)).catch((error: unknown) => this.#complain(loop, peer, error));
    }
  }

  /** A peer is called by another name now: its remotes keep working. */
  async renamed(before: Peer, name: string, loops: readonly RepoLoop[]): Promise<void> {
    for (const { context, considering } of loops) {
      const { remoteUrls } = considering;
      const url = remoteUrls.get(before.device) ?? urlOf(before.petname, context.shared().name);
      const remote = findRemote(await readGitConfig(context.runGit, context.repository), url);
      const renamedUrl = url.replace(/^xmpp::[^/]+\//, `xmpp::${name}/`);
      remoteUrls.delete(before.device);
      if (remote === undefined) continue;
      await setGitConfig(context.runGit, context.repository, `remote.${remote}.url`, renamedUrl);
      if (remote === before.petname) await context.runGit(['remote', 'rename', remote, name], { dir: context.repository.path, okCodes: [0, 3, 128] });
    }
  }

  async #add(loop: RepoLoop, peer: Peer, name: string): Promise<void> {
    await ensureRemote(loop.context, peer.petname, name);
    const config = await readGitConfig(loop.context.runGit, loop.context.repository);
    await writeMirror(loop.context, peer.device, { config, url: urlOf(peer.petname, name) });
  }

  #complain(loop: RepoLoop, peer: Peer, error: unknown): void {
    // The next digest tries again.
    loop.considering.remoteUrls.delete(peer.device);
    const { code, message, remedy } = asFault(error, 'adding a remote');
    const words = `no remote for ${peer.petname}: ${message}`;
    this.#events.emit({ type: 'remote-failed', words, peer: peer.petname, repo: loop.context.shared().name, code, ...(remedy === undefined ? {} : { remedy }) });
  }
}
