// The repositories that this device shares. Rule: a change counts once it is written, and changes happen one at a time.

import { Fault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import type { RepoId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { foldName, formatRepos, MAX_REPOS, parseRepo, parseRepos } from './repos-format.ts';
import type { SharedRepo } from './repos-format.ts';
import { StateFile } from './state.ts';

export { grantedBranches, grantOf } from './repos-format.ts';
export type { SharedRepo } from './repos-format.ts';

export class Repos {
  readonly #file: StateFile<ReturnType<typeof formatRepos>>;
  readonly #serial = new Serial();
  #repos: readonly SharedRepo[] = [];

  private constructor(path: string) {
    this.#file = new StateFile(path, (value) => formatRepos(parseRepos(value)), () => formatRepos([]));
  }

  /** @throws Fault `bad-config` naming file and field */
  static async open(path: string): Promise<Repos> {
    const repos = new Repos(path);
    repos.#repos = (await repos.#file.read()).repos;
    return repos;
  }

  /** In the order they were shared. */
  list(): readonly SharedRepo[] {
    return this.#repos;
  }

  byId(id: RepoId): SharedRepo | undefined {
    return this.#repos.find((repo) => repo.id === id);
  }

  /** By the path it was opened as, or its git folder. */
  byPath(path: string): SharedRepo | undefined {
    return this.#repos.find((repo) => repo.path === path || repo.gitDir === path);
  }

  /** In any case, as names differ by more than that. */
  byName(name: string): SharedRepo | undefined {
    return this.#repos.find((repo) => foldName(repo.name) === foldName(name));
  }

  /** @throws Fault `exists` when id, name or path are taken, `too-large` at 1000 repositories; InputFault */
  add(repo: SharedRepo): Promise<void> {
    return this.#change((repos) => {
      if (repos.length >= MAX_REPOS) throw new Fault('too-large', `more than ${MAX_REPOS} repositories cannot be shared`);
      this.#checkFree(repo);
      return [...repos, parseRepo(repo, 'repo')];
    });
  }

  /** @throws Fault `no-such-repo`, `exists`; InputFault */
  update(id: RepoId, patch: Partial<Omit<SharedRepo, 'id'>>): Promise<void> {
    return this.#change((repos) => {
      const changed = parseRepo({ ...this.#expect(id), ...patch }, 'repo');
      this.#checkFree(changed, id);
      return repos.map((repo) => (repo.id === id ? changed : repo));
    });
  }

  /** @throws Fault `no-such-repo` */
  remove(id: RepoId): Promise<void> {
    return this.#change((repos) => {
      this.#expect(id);
      return repos.filter((repo) => repo.id !== id);
    });
  }

  #change(change: (repos: readonly SharedRepo[]) => readonly SharedRepo[]): Promise<void> {
    return this.#serial.run(async () => {
      const next = change(this.#repos);
      await this.#file.write(formatRepos(next));
      this.#repos = next;
    });
  }

  #expect(id: RepoId): SharedRepo {
    const repo = this.byId(id);
    if (repo !== undefined) return repo;
    throw new Fault('no-such-repo', `no shared repository has the id ${shorten(id)}`, { remedy: 'git xmpp repos' });
  }

  #checkFree(repo: SharedRepo, except?: RepoId): void {
    const others = this.#repos.filter(({ id }) => id !== except);
    const name = foldName(repo.name);
    const same = others.find((other) => other.id === repo.id || other.path === repo.path || foldName(other.name) === name);
    if (same === undefined) return;
    const what = same.path === repo.path ? `${repo.path} is already shared` : `${same.path} is already shared as ${same.name}`;
    throw new Fault('exists', what, { remedy: `git xmpp unshare '${same.path}'` });
  }
}
