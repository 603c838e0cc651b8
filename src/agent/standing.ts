// Shared repositories that do not run: paused, not to be opened, or about to be. Rule: a peer that may see one learns that it stands still, and never
// why it cannot be opened; to any other it does not exist.

import { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { isGranted } from '../lib/names.ts';
import type { RepoId } from '../lib/names.ts';
import type { Peer } from '../home/peers.ts';
import { grantOf } from '../home/repos.ts';
import type { Repos, SharedRepo } from '../home/repos.ts';
import type { Pauses } from './pauses.ts';
import { formatShownRepo } from './peer-repos.ts';
import { openShared } from './repo-there.ts';

export interface StandingParts {
  readonly repos: Pick<Repos, 'list'>;
  readonly pauses: Pick<Pauses, 'fault'>;
  readonly runGit: RunGit;
  readonly isRunning: (id: RepoId) => boolean;
}

export class Standing {
  readonly #parts: StandingParts;

  constructor(parts: StandingParts) {
    this.#parts = parts;
  }

  /** Why one that does not run is not served to `peer`; undefined for one that runs, or that `peer` may not see. */
  why(peer: Peer, id: RepoId): Fault | undefined {
    const shared = this.#seenBy(peer).find((each) => each.id === id);
    if (shared === undefined) return undefined;
    if (this.#parts.pauses.fault(id) !== undefined) return new Fault('paused', `${shared.name} is paused on that device`);
    return new Fault('not-open', `${shared.name} cannot be opened on that device at the moment`);
  }

  /**
   * As the list of repositories has them, with what keeps them from running. One that is paused is read, so that nobody founds a second one of the same first
   * commit; what cannot be opened is not looked at: a disk that hangs would keep the whole list.
   */
  show(peer: Peer): Promise<unknown[]> {
    const { runGit, pauses } = this.#parts;
    return Promise.all(
      this.#seenBy(peer).map(async (shared) => {
        const { id, name } = shared;
        if (pauses.fault(id) === undefined) return { repo: id, name, roots: [], standing: 'not-open' };
        const shown = openShared(runGit, shared).then((repository) => formatShownRepo({ runGit, repository, shared: () => shared }, peer));
        return { ...(await shown.catch(() => ({ repo: id, name, roots: [] }))), standing: 'paused' };
      }),
    );
  }

  #seenBy(peer: Peer): SharedRepo[] {
    const { repos, isRunning } = this.#parts;
    return repos.list().filter((shared) => !isRunning(shared.id) && isGranted(grantOf(shared, peer), 'read'));
  }
}
