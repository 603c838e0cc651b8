// Watches of single folders, one fs.watch each (inotify(7); docs/ARCHITECTURE.md).
// Rule: a watch belongs to one folder, not to its name: another folder under the same name gets a watch of its own.

import { lstatSync, readdirSync, watch } from 'node:fs';
import type { Dirent, FSWatcher } from 'node:fs';
import { codeOf, messageOf } from '../lib/errors.ts';

interface Watched {
  readonly watcher: FSWatcher;
  readonly identity: string;
}

/** @param name what changed in the folder; null when the system does not say @param isRename it was made, removed or replaced */
export type FolderEvent = (name: string | null, isRename: boolean) => void;


/** The folders that are watched, by path. */
export class FolderWatches {
  readonly #watched = new Map<string, Watched>();
  readonly #onProblem: (words: string) => void;
  #isWhole = true;
  #isTold = false;
  #isStopped = false;

  /** @param onProblem told in words, once, when the system does not let everything be watched */
  constructor(onProblem: (words: string) => void) {
    this.#onProblem = onProblem;
  }

  /** Whether all that was asked for is watched. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Forgets that something could not be watched: it is about to be tried again. */
  retry(): void {
    this.#isWhole = true;
  }

  get paths(): Iterable<string> {
    return this.#watched.keys();
  }

  has(dir: string): boolean {
    return this.#watched.has(dir);
  }

  /** @returns whether a watch was set; false where that very folder is watched already, or cannot be */
  add(dir: string, onEvent: FolderEvent): boolean {
    const identity = folderIdentity(dir);
    const known = this.#watched.get(dir);
    if (this.#isStopped || identity === undefined || known?.identity === identity) return false;
    this.drop(dir);
    try {
      const watcher = watch(dir, { persistent: false }, (event, name) => {
        onEvent(name, event === 'rename');
        if (folderIdentity(dir) !== identity && this.#watched.get(dir)?.watcher === watcher) this.drop(dir);
      });
      watcher.on('error', (error) => this.#fail(dir, error));
      this.#watched.set(dir, { watcher, identity });
      return true;
    } catch (error) {
      this.#fail(dir, error);
      return false;
    }
  }

  drop(dir: string): void {
    this.#watched.get(dir)?.watcher.close();
    this.#watched.delete(dir);
  }

  /** Drops a folder and all below it. */
  dropTree(dir: string): void {
    this.drop(dir);
    const below = `${dir}/`;
    for (const path of [...this.#watched.keys()].filter((each) => each.startsWith(below))) this.drop(path);
  }

  stop(): void {
    this.#isStopped = true;
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #fail(dir: string, error: unknown): void {
    this.drop(dir);
    if (codeOf(error) === 'ENOENT') return;
    this.#isWhole = false;
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onProblem(`${dir} is not watched: ${whyUnwatched(error)}`);
  }
}

/** Which limit was met, by the code that inotify(7) gives for it: of folders, or of programs of one user that watch any. */
export function whyUnwatched(error: unknown): string {
  if (codeOf(error) === 'ENOSPC') return "the system's limit of watched folders is reached: sysctl fs.inotify.max_user_watches=1048576 raises it";
  if (codeOf(error) === 'EMFILE') return "the system's limit of programs that watch folders is reached: sysctl fs.inotify.max_user_instances=1024 raises it";
  return messageOf(error);
}

/** Which folder is at `dir`, by inode and time of birth, for an inode number alone is soon given to another; undefined for anything else. */
export function folderIdentity(dir: string): string | undefined {
  try {
    const stats = lstatSync(dir, { throwIfNoEntry: false, bigint: true });
    return stats?.isDirectory() === true ? `${stats.ino}@${stats.birthtimeNs}` : undefined;
  } catch {
    // A folder above it has become a file (ENOTDIR: `topic/one` is renamed to `topic`), or may not be read any more.
    return undefined;
  }
}

/** What is in a folder; nothing where it is gone or may not be read. */
export function entriesIn(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}
