// What is set for one repository, as it is now (policies-format.ts). Rule: git is asked again only when its file has changed, or now and then for
// what is set for all repositories; a value that cannot be used is told once.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { readGitConfig } from '../git/repository.ts';
import { parseRefName } from '../lib/names.ts';
import type { TipSource } from './consider.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import { parsePolicies } from './policies-format.ts';
import type { Policies } from './policies-format.ts';
import type { ConfigValues } from './setting-reader.ts';
import { onlySynced } from './synced-format.ts';
import type { Synced } from './synced-format.ts';

/** What was read is good for so long where the repository's own file has not changed, in milliseconds. */
const FRESH_MS = 5_000;

export interface PoliciesParts {
  readonly context: RepoContext;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
}

/** Holds what was read last. */
export class RepoPolicies {
  readonly #parts: PoliciesParts;
  readonly #told = new Set<string>();
  #version = 0;
  #held: { readonly policies: Policies; readonly at: number; readonly file: string } | undefined;

  constructor(parts: PoliciesParts) {
    this.#parts = parts;
  }

  /** Another number after each change of what moves, seen by `read`: what did not move before may do so now. */
  get version(): number {
    return this.#version;
  }

  /** @throws Fault `git` when the configuration cannot be read */
  async read(): Promise<Policies> {
    const { context, clock } = this.#parts;
    const held = this.#held;
    // Before git reads: what changes while it does so is read anew.
    const file = await this.#file();
    if (held !== undefined && held.file === file && Math.abs(clock.now() - held.at) < FRESH_MS) return held.policies;
    const policies = this.of(await readGitConfig(context.runGit, context.repository));
    if (held !== undefined && !isSame(held.policies, policies)) this.#version += 1;
    this.#held = { policies, at: clock.now(), file };
    return policies;
  }

  /** What a configuration says that somebody else has just read. */
  of(config: ConfigValues): Policies {
    const { context, events } = this.#parts;
    const policies = parsePolicies(config, context.shared());
    for (const words of policies.problems) {
      if (this.#told.has(words)) continue;
      this.#told.add(words);
      events.emit({ type: 'bad-setting', words, repo: context.shared().name, code: 'bad-input' });
    }
    return policies;
  }

  /**
   * Which version of the repository's own file this is; a file that it includes is found when what was read gets old. Not waited for in its place: a disk
   * in the network that hangs would stop the whole agent.
   */
  async #file(): Promise<string> {
    const path = join(this.#parts.context.repository.commonDir, 'config');
    const stats = await stat(path, { bigint: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
  }
}

function isSame(a: Policies, b: Policies): boolean {
  return JSON.stringify([a.policy, a.synced.globs]) === JSON.stringify([b.policy, b.synced.globs]);
}

/** A source's tips of what is synced here: nothing else of it moves, or is taken for deleted. */
export function syncedOf<Source extends Pick<TipSource, 'refs' | 'acted'>>(source: Source, synced: Synced): Source {
  if (synced.globs.length === 0) return source;
  const refs = new Map(onlySynced(source.refs, synced).map(([ref, oid]) => [parseRefName(ref), oid] as const));
  return { ...source, refs, acted: Object.fromEntries(onlySynced(Object.entries(source.acted), synced)) };
}
