// Which branches here end in an automatic merge: a hub would make it solid, so it goes there once it is likely to be the last. Rule: what was read once
// is not read again; what cannot be read is a person's.

import type { Oid, RefName } from '../lib/names.ts';
import { readTips } from '../git/tips.ts';
import type { HubRefs } from '../sync/hub-machine.ts';
import type { RepoContext } from './context.ts';

/** What a commit is never changes, so it is kept; beyond so many commits it is forgotten. */
const MAX_KNOWN = 4096;

/** Remembers for one hub. */
export class AutomaticTips {
  readonly #context: RepoContext;
  readonly #known = new Map<Oid, boolean>();

  constructor(context: RepoContext) {
    this.#context = context;
  }

  /** Those of our branches that the hub has not yet, or otherwise, and that end in an automatic merge. */
  async of(ours: HubRefs, hub: HubRefs): Promise<ReadonlySet<RefName>> {
    const found = new Set<RefName>();
    for (const [ref, oid] of ours) {
      if (ref.startsWith('refs/heads/') && hub.get(ref) !== oid && (await this.#isAutomatic(oid))) found.add(ref);
    }
    return found;
  }

  async #isAutomatic(oid: Oid): Promise<boolean> {
    const known = this.#known.get(oid);
    if (known !== undefined) return known;
    const tips = await readTips(this.#context, [oid]).catch(() => []);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const isIt = tips[0]?.isAutomatic === true;
    if (tips.length > 0) this.#known.set(oid, isIt);
    return isIt;
  }
}
