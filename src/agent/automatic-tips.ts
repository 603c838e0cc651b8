// Which branches here end in an automatic merge: a hub would make it solid, so it goes there once it is likely to be the last. Rule: what was read once
// is not read again; what cannot be read is a person's.

import { parseOid } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from '../git/environment.ts';
import { readTips } from '../git/tips.ts';
import type { HubRefs } from '../sync/hub-machine.ts';
import type { RepoContext } from './context.ts';

/** What a commit is never changes, so it is kept; beyond so many commits it is forgotten. */
const MAX_KNOWN = 4096;
/** Where the hub lacks more commits than this, one of them is taken for a person's. */
const MAX_LACKING = 256;

/** Remembers for one hub. */
export class AutomaticTips {
  readonly #context: RepoContext;
  readonly #known = new Map<Oid, boolean>();
  readonly #idle = new Map<string, boolean>();

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

  /** Those of `automatic` whose tip holds nothing of a person's that the hub's lacks. */
  async idle(automatic: Iterable<RefName>, ours: HubRefs, hub: HubRefs): Promise<ReadonlySet<RefName>> {
    const found = new Set<RefName>();
    for (const ref of automatic) {
      const [tip, theirs] = [ours.get(ref), hub.get(ref)];
      if (tip !== undefined && theirs !== undefined && (await this.#isIdle(tip, theirs))) found.add(ref);
    }
    return found;
  }

  async #isIdle(tip: Oid, theirs: Oid): Promise<boolean> {
    const key = `${tip} ${theirs}`;
    const known = this.#idle.get(key);
    if (known !== undefined) return known;
    try {
      const isIt = await this.#lacksMergesAlone(tip, theirs);
      if (this.#idle.size >= MAX_KNOWN) this.#idle.clear();
      this.#idle.set(key, isIt);
      return isIt;
    } catch {
      // The hub's tip is not here yet: after the next fetch it may be.
      return false;
    }
  }

  async #lacksMergesAlone(tip: Oid, theirs: Oid): Promise<boolean> {
    const { runGit, repository } = this.#context;
    const { stdout } = await runGit(['rev-list', `--max-count=${MAX_LACKING + 1}`, tip, `^${theirs}`], inRepository(repository));
    const lacking = stdout.split('\n').filter((line) => line !== '').map(parseOid);
    if (lacking.length > MAX_LACKING) return false;
    return (await readTips(this.#context, lacking)).every(({ isAutomatic }) => isAutomatic);
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
