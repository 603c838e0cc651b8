// Whether trees hold more files than anybody has: `git diff-tree` says nothing before it has found every change, and of a small pack that holds a giant
// tree it would fill the memory first. Rule: `git ls-tree -r` lists as it goes (git-ls-tree(1)), so it is counted beside a comparison that takes long,
// and costs nothing beside one that does not.

import { realClock } from '../lib/clock.ts';
import type { GitPlace } from './environment.ts';
import type { GitProcess, StartGit } from './run.ts';

/** A comparison that takes longer is looked after, in milliseconds. */
const PATIENCE_MS = 250;

/** Watches over one comparison, from when it is begun until `stop`. */
export class GiantWatch {
  readonly #startGit: StartGit;
  readonly #place: GitPlace;
  readonly #timer: { cancel(): void };
  #counting: GitProcess | undefined;
  #isStopped = false;
  #isGiant = false;

  /**
   * @param over.trees that are compared
   * @param over.most files that a tree may hold
   * @param over.process what compares them; killed where one holds more
   */
  constructor(startGit: StartGit, place: GitPlace, over: { readonly trees: readonly string[]; readonly most: number; readonly process: GitProcess }) {
    this.#startGit = startGit;
    this.#place = place;
    this.#timer = realClock.setTimer(PATIENCE_MS, () => void this.#watch(over).catch(() => undefined));
  }

  /** Whether that is why the comparison ended. */
  get isGiant(): boolean {
    return this.#isGiant;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
    this.#counting?.kill();
  }

  async #watch({ trees, most, process }: { readonly trees: readonly string[]; readonly most: number; readonly process: GitProcess }): Promise<void> {
    for (const tree of trees) {
      if (this.#isStopped || !(await this.#holdsMore(tree, most))) continue;
      this.#isGiant = true;
      process.kill();
      return;
    }
  }

  async #holdsMore(tree: string, most: number): Promise<boolean> {
    const git = this.#startGit(['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree], this.#place);
    this.#counting = git;
    git.stdin.end();
    let count = 0;
    for await (const chunk of git.stdout) {
      for (const byte of Buffer.from(chunk)) if (byte === 0) count += 1;
      if (count <= most) continue;
      git.kill();
      return true;
    }
    return false;
  }
}
