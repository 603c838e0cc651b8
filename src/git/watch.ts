// Watching refs: one fs.watch per directory (docs/ARCHITECTURE.md; inotify(7)).
// Rule: an event is a hint and nothing more; what moved is asked of git, and a slow look by the caller finds what was lost.

import { lstatSync, readdirSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Repository } from './repository.ts';

export interface RefWatch {
  stop(): void;
}

/** `refs`: a ref, or what is set for the repository, may have moved. `work`: the index, or what was under way, has changed, for which some branch may have waited. */
export type HintKind = 'refs' | 'work';

/** Files of a git directory whose change may mean that a ref moved, that other settings hold, or that what made a branch wait is over. */
const TOLD: ReadonlyMap<string, HintKind> = new Map([
  ['HEAD', 'refs'],
  ['packed-refs', 'refs'],
  ['config', 'refs'],
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
  repository: Repository,
  onHint: (kind: HintKind) => void,
  options: { readonly onProblem?: (words: string) => void } = {},
): RefWatch {
  const folders = new WatchedFolders(onHint, options.onProblem ?? (() => undefined));
  for (const dir of new Set([repository.gitDir, repository.commonDir])) folders.addFlat(dir, (name) => TOLD.get(name));
  const refs = join(repository.commonDir, 'refs');
  folders.addDeep(refs, new Set([join(refs, 'xmpp'), join(refs, 'remotes')]));
  return { stop: () => folders.stop() };
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Inode and time of birth: an inode number alone is soon given to another folder. */
  readonly identity: string;
}

class WatchedFolders {
  readonly #watched = new Map<string, Watched>();
  readonly #onHint: (kind: HintKind) => void;
  readonly #onProblem: (words: string) => void;
  #isTold = false;
  #isStopped = false;

  constructor(onHint: (kind: HintKind) => void, onProblem: (words: string) => void) {
    this.#onHint = onHint;
    this.#onProblem = onProblem;
  }

  /** Watches one folder for the names that matter. */
  addFlat(dir: string, kindOf: (name: string) => HintKind | undefined): void {
    this.#watch(dir, (name) => {
      const kind = kindOf(name);
      if (kind !== undefined) this.#onHint(kind);
    });
  }

  /** Watches a folder and all below it but `except`, and what comes to be there later. */
  addDeep(dir: string, except: ReadonlySet<string> = new Set()): void {
    const isNew = this.#watch(dir, (name, isRename) => {
      if (name.endsWith('.lock') || except.has(join(dir, name))) return;
      if (isRename && this.#identityOf(join(dir, name)) !== undefined) this.addDeep(join(dir, name));
      this.#onHint('refs');
    });
    if (!isNew) return;
    for (const name of foldersIn(dir)) if (!except.has(join(dir, name))) this.addDeep(join(dir, name));
  }

  stop(): void {
    this.#isStopped = true;
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Whether a watch was set; a folder that was made anew under the same name gets a new one. */
  #watch(dir: string, onEvent: (name: string, isRename: boolean) => void): boolean {
    const identity = this.#identityOf(dir);
    const known = this.#watched.get(dir);
    if (this.#isStopped || identity === undefined || known?.identity === identity) return false;
    this.#drop(dir);
    try {
      const watcher = watch(dir, { persistent: false }, (event, name) => {
        if (name === null) this.#onHint('refs');
        else onEvent(name, event === 'rename');
        if (this.#identityOf(dir) !== identity) this.#drop(dir);
      });
      watcher.on('error', (error) => this.#fail(dir, error));
      this.#watched.set(dir, { watcher, identity });
      return true;
    } catch (error) {
      this.#fail(dir, error);
      return false;
    }
  }

  #drop(dir: string): void {
    this.#watched.get(dir)?.watcher.close();
    this.#watched.delete(dir);
  }

  #fail(dir: string, error: unknown): void {
    this.#drop(dir);
    if (codeOf(error) === 'ENOENT' || this.#isTold) return;
    this.#isTold = true;
    const isLimit = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EMFILE';
    const words = isLimit ? "the system's limit of watched folders is reached (fs.inotify.max_user_watches)" : messageOf(error);
    this.#onProblem(`${dir} is not watched: ${words}`);
  }

  /** Which folder is at `dir`; undefined for anything else. */
  #identityOf(dir: string): string | undefined {
    const stats = lstatSync(dir, { throwIfNoEntry: false, bigint: true });
    return stats?.isDirectory() === true ? `${stats.ino}@${stats.birthtimeNs}` : undefined;
  }
}

function foldersIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
