// Repositories that two own devices share under different ids though they began as one (docs/git-xmpp.1: clones of one remote, shared while
// the other device was away). Rule: told, with the one command that mends it; never mended by itself.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import { rootCommits } from '../git/repository.ts';
import type { Peer } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import type { Digest } from '../sync/digest-format.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';
import { askRepos } from './peer-repos.ts';
import { commonRoot } from './share.ts';

export interface TwinParts {
  readonly links: Links;
  readonly clock: Clock;
  readonly events: Events;
  readonly loops: () => readonly RepoLoop[];
}

/** What was found about each own device. */
export class Twins {
  readonly #parts: TwinParts;
  readonly #notes = new Map<DeviceId, readonly string[]>();
  readonly #names = new Map<DeviceId, ReadonlyMap<string, RepoId>>();

  constructor(parts: TwinParts) {
    this.#parts = parts;
  }

  /** One line for each pair, with the command that makes them one. */
  get notes(): readonly string[] {
    return [...this.#notes.values()].flat();
  }

  /** The id of what a peer calls `name`, as its last digest said. */
  idOf(peer: DeviceId, name: string): RepoId | undefined {
    return this.#names.get(peer)?.get(name);
  }

  /** Looks closer where a digest names repositories that are not shared here. */
  async heard(peer: Peer, digest: Digest): Promise<void> {
    this.#names.set(peer.device, new Map(digest.repos.map(({ repo, name }) => [name, repo])));
    const here = this.#parts.loops();
    const isKnown = (id: RepoId): boolean => here.some(({ context }) => context.shared().id === id);
    const alone = here.filter(({ context }) => !digest.repos.some(({ repo }) => repo === context.shared().id));
    if (peer.kind !== 'own' || alone.length === 0 || digest.repos.every(({ repo }) => isKnown(repo))) {
      this.#notes.delete(peer.device);
      return;
    }
    try {
      const there = (await askRepos(this.#parts.links, this.#parts.clock, peer.device)).filter(({ repo }) => !isKnown(repo));
      const notes: string[] = [];
      for (const { context } of alone) {
        const roots = await rootCommits(context.runGit, context.repository);
        for (const each of there.filter((one) => commonRoot(one, roots) !== undefined)) {
          const { name, path } = context.shared();
          notes.push(`${name} here and ${peer.petname}/${each.name} began as one; to make them one: git xmpp share ${path} --join ${peer.petname}/${each.name}`);
        }
      }
      this.#tell(peer, notes);
    } catch {
      // Not reachable after all: the next contact asks again.
    }
  }

  #tell(peer: Peer, notes: readonly string[]): void {
    const before = this.#notes.get(peer.device) ?? [];
    this.#notes.set(peer.device, notes);
    for (const words of notes.filter((note) => !before.includes(note))) this.#parts.events.emit({ type: 'twin', words, peer: peer.petname });
  }
}
