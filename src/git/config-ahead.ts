// A repository's configuration, read while git is still busy with something else. Rule: what was read ahead is used once and at once, so
// that a person's change counts from the next move on.

import type { RunGit } from '../lib/git-run.ts';
import { readGitConfig } from './repository.ts';
import type { Repository } from './repository.ts';

/** Configuration that was read this many milliseconds ago is read anew. */
const FRESH_MS = 100;

type Config = ReturnType<typeof readGitConfig>;

/** Reads the configuration of one repository. Times are in ms. */
export class ConfigAhead {
  readonly #read: () => Config;
  #ahead: { readonly config: Config; readonly at: number } | undefined;

  constructor(runGit: RunGit, repository: Repository) {
    this.#read = () => readGitConfig(runGit, repository);
  }

  /** It will be asked for soon. */
  prepare(now: number): void {
    const config = this.#read();
    config.catch(() => undefined);
    this.#ahead = { config, at: now };
  }

  /** @throws Fault `git` */
  read(now: number): Config {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && Math.abs(now - ahead.at) < FRESH_MS ? ahead.config : this.#read();
  }
}
