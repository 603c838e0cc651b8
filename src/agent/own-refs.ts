// The branches and tags that stand here, and those of them that our map tells (docs/PROTOCOL.md, "Maps"; docs/git-xmpp.1, `--branches`).
// Rule: what cannot be told to another device is left out, and its person hears of it once.

import { listRefs } from '../git/refs.ts';
import { branchesMatching } from '../git/services.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { isMapRef, LEFT_REF } from '../sync/record-format.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import type { LeftBooks } from './left-book.ts';
import type { RepoPolicies } from './policies.ts';
import { tellOnlySynced } from './synced-format.ts';

/** Reads the refs of one shared repository. */
export class OwnRefs {
  readonly #context: RepoContext;
  readonly #events: Events;
  readonly #left: LeftBooks;
  readonly #policies: RepoPolicies;
  readonly #leftOut = new Set<string>();

  constructor(context: RepoContext, { events, left, policies }: { readonly events: Events; readonly left: LeftBooks; readonly policies: RepoPolicies }) {
    this.#context = context;
    this.#events = events;
    this.#left = left;
    this.#policies = policies;
  }

  /** All branches and tags, and what peers are told: those that are shared, and the book of left commits. */
  async read(): Promise<{ readonly all: RefsOfMap; readonly shown: RefsOfMap }> {
    const { runGit, repository, shared, maps, me } = this.#context;
    const onUnreadable = (name: string): void => this.#leaveOut(name);
    const [all, { synced }] = await Promise.all([listRefs(runGit, repository, ['refs/heads/', 'refs/tags/'], { onUnreadable }), this.#policies.read()]);
    // Before they are told: whoever hears of a rewritten tip has to hear with it what was left.
    await this.#left.seen(all);
    const book = await this.#left.publish();
    const shown = publicRefs(tellOnlySynced(all, maps.refsOf(me), synced), shared().branches);
    return { all, shown: book === undefined ? shown : new Map([...shown, [LEFT_REF, book]]) };
  }

  #leaveOut(ref: string): void {
    if (this.#leftOut.has(ref)) return;
    this.#leftOut.add(ref);
    const words = `${ref} is not synced: its name is not UTF-8, so no other device could be told of it; give it another name`;
    this.#events.emit({ type: 'left-out', words, repo: this.#context.shared().name });
  }
}

/** What the map says: all tags, and the branches that the sharing names. */
function publicRefs(all: RefsOfMap, globs: readonly string[]): RefsOfMap {
  const named = globs.length === 0 ? undefined : new Set(branchesMatching(globs, all).map((name) => `refs/heads/${name}`));
  const isShown = (ref: string): boolean => isMapRef(ref) && (named === undefined || ref.startsWith('refs/tags/') || named.has(ref));
  return new Map([...all].filter(([ref]) => isShown(ref)));
}
