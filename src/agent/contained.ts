// Which of a hub's tips are contained in ours: those branches can go forward there. Rule: what was found once is not asked again; what cannot be told is not contained.

import type { Oid, RefName } from '../lib/names.ts';
import { isAncestor } from '../git/refs.ts';
import type { HubRefs } from '../sync/hub-machine.ts';
import type { RepoContext } from './context.ts';

/** What one object id says of another never changes, so it is kept; beyond so many pairs it is forgotten. */
const MAX_PAIRS = 4096;

/** Remembers for one hub. */
export class Contained {
  readonly #context: RepoContext;
  readonly #pairs = new Map<string, boolean>();

  constructor(context: RepoContext) {
    this.#context = context;
  }

  /** The hub's tip of each branch where ours contains it. */
  async of(ours: HubRefs, hub: HubRefs): Promise<HubRefs> {
    const contained = new Map<RefName, Oid>();
    for (const [ref, newer] of ours) {
      const older = hub.get(ref);
      if (older === undefined || !ref.startsWith('refs/heads/')) continue;
      if (older === newer || (await this.#isContained(older, newer))) contained.set(ref, older);
    }
    return contained;
  }

  async #isContained(older: Oid, newer: Oid): Promise<boolean> {
    const key = `${older} ${newer}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const { runGit, repository, objects } = this.#context;
    try {
      const isIt = await isAncestor(runGit, repository, { older, newer, objects });
      if (this.#pairs.size >= MAX_PAIRS) this.#pairs.clear();
      this.#pairs.set(key, isIt);
      return isIt;
    } catch {
      // It is not here yet: after the next fetch it may be.
      return false;
    }
  }
}
