// Watching refs: one fs.watch per directory (docs/ARCHITECTURE.md; inotify(7)).
// Rule: an event is a hint and nothing more; what moved is asked of git, and a slow look by the caller finds what was lost.

import { join } from 'node:path';
import { entriesIn, folderIdentity, FolderWatches } from './folder-watch.ts';
import type { Repository } from './repository.ts';

export interface RefWatch {
  stop(): void;
}

/**
 * `refs`: a ref may have moved. `work`: the index, or what was under way, has changed, for which some branch may have waited.
 * `config`: the repository's configuration has changed.
 */
export type HintKind = 'refs' | 'work' | 'config';

/** Files of a git directory whose change may mean that a ref moved, that other settings hold, or that what made a branch wait is over. */
const TOLD: ReadonlyMap<string, HintKind> = new Map([
  ['HEAD', 'refs'],
  ['packed-refs', 'refs'],
  ['config', 'config'],
  ...['index', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'BISECT_START', 'rebase-merge', 'rebase-apply', 'sequencer'].map(
    (name) => [name, 'work'] as const,
  ),
]);

/**
 * Calls `onHint` soon after a branch, tag, HEAD or the index may have changed; the caller gathers hints. What agents write, the corners
 * and the mirrors, is no news.
 * @param options.onProblem told in words, once, when the system does not let everything be watched
 */
export function watchRefs(
  repository: Pick<Repository, 'gitDir' | 'commonDir'>,
  onHint: (kind: HintKind) => void,
  options: { readonly onProblem?: (words: string) => void } = {},
): RefWatch {
  const folders = new WatchedFolders(onHint, options.onProblem ?? (() => undefined));
  for (const dir of new Set([repository.gitDir, repository.commonDir])) folders.addFlat(dir, (name) => TOLD.get(name));
  const refs = join(repository.commonDir, 'refs');
  folders.addDeep(refs, new Set([join(refs, 'xmpp'), join(refs, 'remotes')]));
  return { stop: () => folders.stop() };
}

class WatchedFolders {
  readonly #watches: FolderWatches;
  readonly #onHint: (kind: HintKind) => void;

  constructor(onHint: (kind: HintKind) => void, onProblem: (words: string) => void) {
    this.#onHint = onHint;
    this.#watches = new FolderWatches(onProblem);
  }

  /** Watches one folder for the names that matter. */
  addFlat(dir: string, kindOf: (name: string) => HintKind | undefined): void {
    this.#watches.add(dir, (name) => {
      const kind = name === null ? 'refs' : kindOf(name);
      if (kind !== undefined) this.#onHint(kind);
    });
  }

  /** Watches a folder and all below it but `except`, and what comes to be there later. */
  addDeep(dir: string, except: ReadonlySet<string> = new Set()): void {
    const isNew = this.#watches.add(dir, (name, isRename) => {
      if (name === null) return this.#onHint('refs');
      if (name.endsWith('.lock') || except.has(join(dir, name))) return;
      if (isRename && folderIdentity(join(dir, name)) !== undefined) this.addDeep(join(dir, name));
      this.#onHint('refs');
    });
    if (!isNew) return;
    for (const name of foldersIn(dir)) if (!except.has(join(dir, name))) this.addDeep(join(dir, name));
  }

  stop(): void {
    this.#watches.stop();
  }
}

function foldersIn(dir: string): string[] {
  return entriesIn(dir).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
