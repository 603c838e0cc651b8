// Carries out what is paused (docs/decisions/0040-a-paused-repository-does-not-run.md). Rule: a paused repository does not run at all, so that nothing of it can be
// forgotten; with the whole agent paused nothing is connected either.

import type { RepoId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import type { Repos } from '../home/repos.ts';
import type { AccountKeeper } from './account.ts';
import type { Pauses } from './pauses.ts';
import type { Peering } from './peering.ts';
import type { Exchanges } from './exchanges.ts';

export interface PausingParts {
  readonly pauses: Pauses;
  readonly repos: Repos;
  readonly exchanges: Exchanges;
  readonly peering: Pick<Peering, 'repoSet' | 'contacts' | 'rest'>;
  readonly account: Pick<AccountKeeper, 'rest' | 'start'>;
}

/** Keeps what runs in step with what is paused. */
export class Pausing {
  readonly #parts: PausingParts;
  readonly #serial = new Serial();
  readonly #standing = new Set<RepoId>();
  #isResting: boolean;

  constructor(parts: PausingParts) {
    this.#parts = parts;
    const { pauses, repos } = parts;
    this.#isResting = pauses.all !== undefined;
    // The agent starts without them.
    for (const { id } of repos.list()) if (pauses.of(id) !== undefined) this.#standing.add(id);
    pauses.find = (id) => repos.byId(id);
  }

  /** Resolves when it is so. */
  apply(): Promise<void> {
    return this.#serial.run(async () => {
      const { pauses, repos, peering, account } = this.#parts;
      // One that is not shared any more stands still no longer, whatever it is once it is shared again.
      for (const id of this.#standing) if (repos.byId(id) === undefined) this.#standing.delete(id);
      await Promise.all(repos.list().map(({ id }) => this.#settle(id)));
      const isPaused = pauses.all !== undefined;
      if (isPaused === this.#isResting) return;
      this.#isResting = isPaused;
      if (!isPaused) return account.start();
      await peering.rest();
      await account.rest();
    });
  }

  async #settle(id: RepoId): Promise<void> {
    const { pauses, exchanges, peering } = this.#parts;
    const isPaused = pauses.of(id) !== undefined;
    if (isPaused === this.#standing.has(id)) return;
    if (isPaused) this.#standing.add(id);
    else this.#standing.delete(id);
    const opened = peering.repoSet.open(id);
    if (isPaused) exchanges.stop(id);
    await opened;
    // What the loop had begun with its last breath.
    if (isPaused) exchanges.stop(id);
    else peering.contacts.contactAll();
  }
}
