// The watch of one repository's refs, and what the system does not let it see (inotify(7)). Rule: what could not be watched is tried again by the caller's slow
// look, so that a raised limit counts without a restart; the same reason is told once.

import { watchRefs } from '../git/watch.ts';
import type { HintKind, RefWatch } from '../git/watch.ts';
import type { Repository } from '../git/repository.ts';

export interface RefWatchingParts {
  readonly repository: Pick<Repository, 'gitDir' | 'commonDir'>;
  readonly onHint: (kind: HintKind) => void;
  /** Told in words when not everything can be watched. */
  readonly onProblem: (words: string) => void;
  /** `watchRefs`; another in specs. */
  readonly watch?: typeof watchRefs;
}

export class RefWatching {
  readonly #parts: RefWatchingParts;
  #watch: RefWatch;
  #problem: string | undefined;
  #told: string | undefined;
  #isStopped = false;

  constructor(parts: RefWatchingParts) {
    this.#parts = parts;
    this.#watch = this.#begin();
  }

  /** What is not watched and why, in words; undefined when all is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Watches all of it anew where something was left out. */
  retry(): void {
    if (this.#problem === undefined || this.#isStopped) return;
    this.#watch.stop();
    this.#problem = undefined;
    this.#watch = this.#begin();
    if (this.#problem === undefined) this.#told = undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch.stop();
  }

  #begin(): RefWatch {
    const { repository, onHint, onProblem, watch = watchRefs } = this.#parts;
    return watch(repository, onHint, {
      onProblem: (words) => {
        this.#problem = words;
        if (words === this.#told) return;
        this.#told = words;
        onProblem(words);
      },
    });
  }
}
