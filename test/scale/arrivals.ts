// When a commit has arrived in a work tree: the agent moves files and index first and the branch last, so the branch tells. Rule: told by the file system,
// without a process of our own.

import { readFileSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import path from 'node:path';
import type { Clone } from './shared-repos.ts';

/** Looks at `main` of clones for as long as it is open. */
export class Arrivals {
  readonly #watchers = new Map<string, FSWatcher>();

  /** The oid that `main` of a clone stands at. */
  tipOf({ dir }: Clone): string {
    return readFileSync(path.join(dir, '.git/refs/heads/main'), 'utf8').trim();
  }

  /**
   * Begin before the commit: resolves with the time (of `performance.now`) when `clone` stands at what the returned function is given.
   * @returns undefined where it does not come in time
   */
  at(clone: Clone, oid: string, deadlineMs: number): Promise<number | undefined> {
    const watcher = this.#watch(clone);
    return new Promise((resolve) => {
      const end = (at: number | undefined): void => {
        clearTimeout(timer);
        watcher.off('change', look);
        resolve(at);
      };
      const look = (): void => {
        try {
          if (this.tipOf(clone) === oid) end(performance.now());
        } catch {
          // Between two names of one file.
        }
      };
      const timer = setTimeout(() => end(undefined), deadlineMs);
      watcher.on('change', look);
      look();
    });
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch({ dir }: Clone): FSWatcher {
    const known = this.#watchers.get(dir);
    if (known !== undefined) return known;
    const watcher = watch(path.join(dir, '.git/refs/heads')).setMaxListeners(50);
    this.#watchers.set(dir, watcher);
    return watcher;
  }
}
