// Whether branches that are not there any more, or stand where no git put them, are to be told to other devices. A folder that is being deleted loses
// its refs one by one, and with the newer ones gone git reads older ones out of packed-refs: told on, that would take branches back everywhere.
// Rule: what git writes down as a move is told at once; anything else only if it still stands a moment later, in a repository that is whole.

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { isAncestor } from '../git/refs.ts';
import { lastMove } from '../git/reflog.ts';
import { headBranch } from '../git/worktrees.ts';
import { diffMaps } from '../sync/map-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import type { RepoContext } from './context.ts';

/** What is doubtful has to stand so long, in milliseconds. */
export const CONFIRM_MS = 1_000;

/** Files and folders without which there is no repository (gitrepository-layout(5)). */
const PARTS = ['config', 'objects', 'refs'];
/** Looks for what does not become whole come ever later, up to this. */
const MAX_RETRY_MS = 30_000;

/** Told to nobody but `status`: it is over in a moment, or becomes a reason of its own. */
export class Doubt extends Fault {
  /** When to look again, in milliseconds. */
  readonly retryMs: number;

  constructor(retryMs: number) {
    super('not-a-repository', 'branches have gone, or went back, and git did not write it down: looking again before it is told');
    this.retryMs = retryMs;
  }
}

interface Doubtful {
  readonly ref: string;
  readonly to: string | undefined;
  /** Its reflog is there, and says that it is elsewhere: git would have written the move down. */
  readonly isDenied: boolean;
}

/** Remembers since when something is doubtful. */
export class Vanishing {
  readonly #context: Pick<RepoContext, 'runGit' | 'repository' | 'objects'>;
  readonly #clock: Clock;
  #doubt: { readonly what: string; readonly since: number } | undefined;

  constructor(context: Pick<RepoContext, 'runGit' | 'repository' | 'objects'>, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** @throws Doubt while what stands here now is not to be told, after what was told before */
  async check(before: RefsOfMap, now: RefsOfMap): Promise<void> {
    const doubtful = await this.#doubtful(before, now);
    if (doubtful.length === 0) {
      this.#doubt = undefined;
      return;
    }
    const what = doubtful.map(({ ref, to }) => `${ref} ${to ?? ''}`).join('\n');
    if (this.#doubt?.what !== what) this.#doubt = { what, since: this.#clock.now() };
    const stands = Math.abs(this.#clock.now() - this.#doubt.since);
    const isCertain = stands >= CONFIRM_MS && !doubtful.some(({ isDenied }) => isDenied) && (await this.#isWhole(before, now));
    if (!isCertain) throw new Doubt(Math.min(Math.max(stands, CONFIRM_MS), MAX_RETRY_MS));
    this.#doubt = undefined;
  }

  /** Refs that have gone or moved with nothing to show for it. */
  async #doubtful(before: RefsOfMap, now: RefsOfMap): Promise<Doubtful[]> {
    const { runGit, repository, objects } = this.#context;
    const doubtful: Doubtful[] = [];
    for (const [ref, to] of diffMaps(before, now)) {
      const older = before.get(ref);
      if (older === undefined || !/^refs\/(?:heads|tags)\//.test(ref)) continue;
      const last = to === undefined ? undefined : await lastMove(repository, ref);
      if (to !== undefined && (last === to || (await isAncestor(runGit, repository, { older, newer: to, objects }).catch(() => false)))) continue;
      doubtful.push({ ref, to, isDenied: last !== undefined });
    }
    return doubtful;
  }

  /** All parts are there, and the branch that is checked out has not gone from under it. */
  async #isWhole(before: RefsOfMap, now: RefsOfMap): Promise<boolean> {
    const { gitDir, commonDir, isBare } = this.#context.repository;
    const head = await headBranch(gitDir);
    if (!isBare && head !== undefined && before.has(head) && !now.has(head)) return false;
    const parts = [join(gitDir, 'HEAD'), ...PARTS.map((part) => join(commonDir, part))];
    return (await Promise.all(parts.map(isThere))).every(Boolean);
  }
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
