// The place where merges are made: a bare repository of the agent's own that writes into the user's objects (git(1), GIT_OBJECT_DIRECTORY).
// Rule: nothing but the commits themselves may change what comes out: no configuration, attributes, drivers, replace refs, grafts or language.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunGit } from '../lib/git-run.ts';
import type { Oid } from '../lib/names.ts';
import { QUIET_CONFIG } from './environment.ts';
import type { GitPlace } from './environment.ts';
import type { Repository } from './repository.ts';

/** What git would do by itself today, said, so that another version does it too. */
const MERGE_CONFIG: Readonly<Record<string, string>> = {
  ...QUIET_CONFIG,
  // With it git may find the same common ancestors in another order.
  'core.commitGraph': 'false',
  'core.attributesFile': '/dev/null',
  'core.bigFileThreshold': '512m',
  'core.autocrlf': 'false',
  'diff.algorithm': 'myers',
  'diff.renames': 'true',
  'merge.conflictStyle': 'merge',
  'merge.directoryRenames': 'false',
  'merge.renameLimit': '7000',
  'merge.renames': 'true',
  'merge.renormalize': 'false',
};

/** Where a command runs so that only the commits count. */
export interface IsolatedPlace extends GitPlace {
  readonly config: Readonly<Record<string, string>>;
}

/** One for each shared repository. */
export class IsolatedRepo {
  readonly #runGit: RunGit;
  readonly #repository: Repository;
  readonly #dir: string;
  #made: Promise<void> | undefined;
  /** Merges that were made, by their parents: what waits for a clean work tree is asked for again and again. */
  readonly merges = new Map<string, Oid>();

  /** @param dir the agent's own; what lies there is removed */
  constructor(runGit: RunGit, repository: Repository, dir: string) {
    this.#runGit = runGit;
    this.#repository = repository;
    this.#dir = dir;
  }

  /**
   * Made anew at the first use: whatever was changed there since does not count.
   * @param sample any object id of the repository: its length says how objects are named there
   */
  async place(sample: Oid): Promise<IsolatedPlace> {
    this.#made ??= this.#make(sample).catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    await this.#made;
    const env = { ...this.#env(), GIT_DIR: this.#gitDir, GIT_OBJECT_DIRECTORY: join(this.#repository.commonDir, 'objects') };
    return { dir: this.#dir, env, config: MERGE_CONFIG };
  }

  /** A file for an index that nobody else uses. */
  get indexFile(): string {
    return join(this.#gitDir, 'index');
  }

  get #gitDir(): string {
    return join(this.#dir, 'git');
  }

  #env(): Record<string, string> {
    return {
      HOME: this.#dir,
      XDG_CONFIG_HOME: this.#dir,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
    };
  }

  async #make(sample: Oid): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const format = sample.length === 64 ? 'sha256' : 'sha1';
    const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, this.#gitDir];
    await this.#runGit(args, { dir: this.#dir, env: this.#env() });
  }
}
