// Whether a repository is to be looked at though nobody said that anything moved: inotify loses events (inotify(7)). Rule: where the files of its refs are
// the very ones of the last look, git is not asked; now and then it is all the same, for not all that counts lies in those files.

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from '../git/repository.ts';

/** git is asked at every so many looks. */
const ANYWAY = 5;
/** More files than this are not compared one by one. */
const MOST = 2_000;
/** Below the git directory, and below the common one (gitrepository-layout(5)); where refs are a reftable, its list changes with each of them. */
const OWN = ['HEAD', 'index'];
const COMMON = ['config', 'packed-refs', 'reftable/tables.list'];
/** What agents write there is no news. */
const EXCEPT = new Set(['xmpp', 'remotes']);

/** One per repository. */
export class SlowLook {
  readonly #repository: Pick<Repository, 'gitDir' | 'commonDir'>;
  #mark: string | undefined;
  #since = 0;

  constructor(repository: Pick<Repository, 'gitDir' | 'commonDir'>) {
    this.#repository = repository;
  }

  /** Never rejects: what cannot be looked at is looked at by git, which says why. */
  async isDue(): Promise<boolean> {
    const mark = await markOf(this.#repository).catch(() => undefined);
    this.#since += 1;
    const isDue = mark === undefined || mark !== this.#mark || this.#since >= ANYWAY;
    this.#mark = mark;
    if (isDue) this.#since = 0;
    return isDue;
  }
}

/** Which files there are and when each was written: git replaces a ref's file by a new one. @returns undefined where there are too many */
async function markOf({ gitDir, commonDir }: Pick<Repository, 'gitDir' | 'commonDir'>): Promise<string | undefined> {
  const refs = join(commonDir, 'refs');
  const files = [...OWN.map((name) => join(gitDir, name)), ...COMMON.map((name) => join(commonDir, name))];
  const folders = [refs];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) files.push(path);
      else if (folder !== refs || !EXCEPT.has(entry.name)) folders.push(path);
    }
    if (files.length + folders.length > MOST) return undefined;
  }
  return (await Promise.all(files.map(stampOf))).join('\n');
}

async function stampOf(path: string): Promise<string> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  return stats === undefined ? `${path} absent` : `${path} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
