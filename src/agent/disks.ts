// A hub that is a path: whether its medium is there, and what changes on it. Rule: the mount table and the folder itself tell; a path that is not there is not
// polled, and is looked at only when something happens; never twice at once, for one that does not answer (a dead network disk) takes a thread each time.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withDeadline } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { watchRefs } from '../git/watch.ts';
import type { RefWatch } from '../git/watch.ts';

/** Refs of one push are written within this many milliseconds. */
const SETTLE_MS = 30;
/** What has not answered after this counts as not there until it does, in milliseconds. */
const PATIENCE_MS = 10_000;

export interface DiskParts {
  readonly path: string;
  readonly clock: Clock;
  /** Told when it went, or is there again. */
  readonly onMedium: (isThere: boolean) => void;
  /** Refs there may have changed, by whomever. */
  readonly onHint: () => void;
  /** `gitDirAt`; another in specs. */
  readonly find?: (path: string) => Promise<string | undefined>;
}

/** The git directory at `path` as git would find it: itself, its `.git`, or with `.git` behind its name; undefined where there is none. */
export async function gitDirAt(path: string): Promise<string | undefined> {
  // The order of enter_repo() in git's path.c.
  for (const dir of [join(path, '.git'), path, `${path}.git/.git`, `${path}.git`]) {
    const isThere = await stat(join(dir, 'HEAD')).then(
      (stats) => stats.isFile(),
      () => false,
    );
    if (isThere) return dir;
  }
  return undefined;
}

/** Looks when it is told to, and watches the refs while they are there. */
export class Disk {
  readonly #parts: DiskParts;
  #watch: { readonly refs: RefWatch; readonly identity: string } | undefined;
  #isThere: boolean | undefined;
  #hint: Timer | undefined;
  #isStopped = false;
  #looking: Promise<unknown> = Promise.resolve();
  #next: Promise<boolean> | undefined;

  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  /** Whether the repository is there now; what changed since the last look is told first. Whoever asks during a look shares the next one. */
  async look(): Promise<boolean> {
    this.#next ??= this.#looking.then(() => this.#look());
    const { clock, path } = this.#parts;
    try {
      return await withDeadline(this.#next, PATIENCE_MS, clock, () => new Fault('timeout', `${path} does not answer`));
    } catch {
      return this.#found(undefined, undefined);
    }
  }

  async #look(): Promise<boolean> {
    this.#next = undefined;
    const looking = this.#find();
    this.#looking = looking.catch(() => undefined);
    return this.#found(...(await looking));
  }

  async #find(): Promise<readonly [dir: string | undefined, identity: string | undefined]> {
    const dir = await (this.#parts.find ?? gitDirAt)(this.#parts.path);
    return [dir, dir === undefined ? undefined : await identityOf(dir)];
  }

  #found(dir: string | undefined, identity: string | undefined): boolean {
    if (this.#isStopped) return false;
    if (identity !== this.#watch?.identity) this.#watchAt(dir, identity);
    const isThere = dir !== undefined;
    if (this.#isThere !== isThere) this.#parts.onMedium(isThere);
    this.#isThere = isThere;
    return isThere;
  }

  stop(): void {
    this.#isStopped = true;
    this.#watchAt(undefined, undefined);
  }

  #watchAt(dir: string | undefined, identity: string | undefined): void {
    this.#hint?.cancel();
    this.#watch?.refs.stop();
    this.#watch = undefined;
    if (dir === undefined || identity === undefined) return;
    const onHint = (): void => {
      this.#hint?.cancel();
      this.#hint = this.#parts.clock.setTimer(SETTLE_MS, this.#parts.onHint);
    };
    this.#watch = { refs: watchRefs({ gitDir: dir, commonDir: dir }, onHint), identity };
  }
}

/** Which folder it is: another medium under the same path has another. */
async function identityOf(dir: string): Promise<string | undefined> {
  const stats = await stat(dir, { bigint: true }).catch(() => undefined);
  return stats === undefined ? undefined : `${stats.dev} ${stats.ino}`;
}
