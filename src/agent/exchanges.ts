// What moves between here and a remote, for each repository: offers out and in, fetches and pushes, hubs. Rule: `syncing` is told when the first begins, and
// `done-syncing` always follows once the last has ended, however it ended; a pause ends all of a repository at once.

import type { RepoId } from '../lib/names.ts';
import type { ServedProcess } from '../link/carry.ts';
import type { Events } from './events.ts';

/** A repository as events name it. */
export interface MovingRepo {
  readonly id: RepoId;
  readonly name: string;
}

/** One that is under way. */
export interface Exchange {
  /** Aborted when the repository is paused. */
  readonly signal: AbortSignal;
  /** It has ended; only the first word counts. */
  done(isGood: boolean): void;
}

interface Group {
  readonly repo: MovingRepo;
  readonly remote: string;
  readonly open: Set<{ readonly stop: () => void }>;
  isGood: boolean;
}

/** All exchanges of one agent. */
export class Exchanges {
  readonly #events: Pick<Events, 'emit'>;
  readonly #groups = new Map<string, Group>();

  constructor(events: Pick<Events, 'emit'>) {
    this.#events = events;
  }

  /** @param remote a peer's petname, or the name of a hub's remote */
  begin(repo: MovingRepo, remote: string): Exchange {
    const group = this.#join(repo, remote);
    const controller = new AbortController();
    const done = (isGood: boolean): void => {
      if (!group.open.delete(entry)) return;
      group.isGood &&= isGood;
      if (group.open.size === 0) this.#end(group);
    };
    const stop = (): void => {
      controller.abort();
      done(false);
    };
    const entry = { stop };
    group.open.add(entry);
    return { signal: controller.signal, done };
  }

  /** Does `work`, and tells how it ended. */
  async during<T>(repo: MovingRepo, remote: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const exchange = this.begin(repo, remote);
    try {
      const result = await work(exchange.signal);
      exchange.done(true);
      return result;
    } finally {
      exchange.done(false);
    }
  }

  /** A process that serves a peer: it counts until its exit code is told, and a pause ends it, in words. */
  served(repo: MovingRepo, remote: string, process: ServedProcess): ServedProcess {
    const exchange = this.begin(repo, remote);
    exchange.signal.addEventListener('abort', () => process.kill(), { once: true });
    const { stdin, stdout, exit, isSilent } = process;
    return {
      stdin,
      stdout,
      exit,
      ...(isSilent === undefined ? {} : { isSilent }),
      admit: (part) => process.admit?.(part) ?? true,
      fields: () => process.fields?.() ?? {},
      onCounts: (counts) => process.onCounts?.(counts),
      kill: () => process.kill(),
      stderrTail: () => (exchange.signal.aborted ? `${repo.name} is paused there\n` : process.stderrTail()),
      settle: async (exitCode, received) => {
        try {
          const told = process.settle === undefined ? exitCode : await process.settle(exitCode, received);
          exchange.done(told === 0);
          return told;
        } finally {
          exchange.done(false);
        }
      },
    };
  }

  /** Remotes that something of a repository moves to or from now. */
  remotes(id: RepoId): readonly string[] {
    return [...this.#groups.values()].filter(({ repo }) => repo.id === id).map(({ remote }) => remote);
  }

  /** Ends all of a repository. */
  stop(id: RepoId): void {
    for (const { repo, open } of this.#groups.values()) {
      if (repo.id === id) for (const { stop } of open) stop();
    }
  }

  #join(repo: MovingRepo, remote: string): Group {
    const key = `${repo.id} ${remote}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group: Group = { repo, remote, open: new Set(), isGood: true };
    this.#groups.set(key, group);
    this.#events.emit({ type: 'syncing', words: `syncing with ${remote}`, peer: remote, repo: repo.name });
    return group;
  }

  #end(group: Group): void {
    const { repo, remote, isGood } = group;
    this.#groups.delete(`${repo.id} ${remote}`);
    const words = isGood ? `done syncing with ${remote}` : `syncing with ${remote} was cut short`;
    this.#events.emit({ type: 'done-syncing', words, peer: remote, repo: repo.name, isGood });
  }
}
