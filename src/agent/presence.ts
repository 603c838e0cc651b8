// Whether each shared repository is where it was: its folder may be moved, deleted, or on a disk that is taken away (docs/git-xmpp.1, "share"). Rule: a
// look at two folders every few seconds, never two at once at a place that does not answer; only a change is told.

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../lib/clock.ts';
import type { RepoId } from '../lib/names.ts';
import type { SharedRepo } from '../home/repos.ts';

export interface PresenceParts {
  readonly clock: Clock;
  readonly repos: () => readonly Pick<SharedRepo, 'id' | 'path' | 'gitDir'>[];
  /** Another folder is there now, or none, or one again. */
  readonly onChange: (id: RepoId) => void;
}

const LOOK_MS = 3_000;

/** Looks from `start` to `stop`. */
export class Presence {
  readonly #parts: PresenceParts;
  /** Which folders were there at the last look; `undefined` as a value where one was not. */
  readonly #seen = new Map<RepoId, string | undefined>();
  readonly #looking = new Set<RepoId>();
  #timer: Timer | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  start(): void {
    this.stop();
    this.lookAtAll();
    this.#timer = this.#parts.clock.setTimer(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** A repository is about to be opened: what is there now is what later looks compare with. */
  async note({ id, path, gitDir }: Pick<SharedRepo, 'id' | 'path' | 'gitDir'>): Promise<void> {
    this.#seen.set(id, await identityOf([path, gitDir]));
  }

  lookAtAll(): void {
    const repos = this.#parts.repos();
    const known = new Set(repos.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!known.has(id)) this.#seen.delete(id);
    for (const { id, path, gitDir } of repos) void this.#look(id, [path, gitDir]);
  }

  async #look(id: RepoId, places: readonly string[]): Promise<void> {
    // A disk that hangs would take one thread at each look.
    if (this.#looking.has(id)) return;
    this.#looking.add(id);
    const identity = await identityOf(places);
    this.#looking.delete(id);
    // Shared no more since the look began: what has become of the folder is nobody's matter.
    if (!this.#parts.repos().some((repo) => repo.id === id)) return;
    const isNew = !this.#seen.has(id);
    const hasChanged = this.#seen.get(id) !== identity;
    this.#seen.set(id, identity);
    if (hasChanged && !isNew) this.#parts.onChange(id);
  }
}

/** The paths that were shared, which folders are there (another one under its name is another repository), and whether it was made shallow. */
async function identityOf(places: readonly string[]): Promise<string | undefined> {
  try {
    const stats = await Promise.all(places.map((place) => lstat(place, { bigint: true })));
    const isShallow = await lstat(join(places.at(-1) ?? '', 'shallow')).then(() => true, () => false);
    return [...stats.map(({ dev, ino, birthtimeNs }, index) => `${places[index]} ${dev} ${ino} ${birthtimeNs}`), isShallow].join('\n');
  } catch {
    return undefined;
  }
}
