// The agent's settings: the home's config first, then git's own for the user and the machine (`git config --global xmpp.direct false`).
// Rule: read again when they are needed and may have changed, never watched; a value that cannot be used is told once, and its default holds.

import type { Clock } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration-format.ts';
import { asFault } from '../lib/errors.ts';
import { parseRate } from '../lib/rate-format.ts';
import type { Fault } from '../lib/errors.ts';
import type { LogLevel } from '../lib/log.ts';
import type { RunGit } from '../lib/git-run.ts';
import { Serial } from '../lib/serial.ts';
import { normalizeKey, parseList } from './config.ts';
import type { Config } from './config.ts';
import { parseDirectMode, parseLogLevel } from './settings-format.ts';
import type { DirectMode } from './settings-format.ts';

export interface SettingsParts {
  readonly config: Config;
  readonly runGit: RunGit;
  readonly clock: Clock;
  /** A value that cannot be used, or a file that git cannot read. */
  readonly onProblem: (fault: Fault) => void;
}

/** What was read is good for so long, in milliseconds. */
const FRESH_MS = 5_000;
const DEFAULT_GIVE_UP_MS = 3_600_000;
const GIVE_UP = { min: 10_000, max: 7 * 86_400_000 };

/** All `xmpp.…` that holds for the whole agent. */
export class Settings {
  readonly #parts: SettingsParts;
  readonly #serial = new Serial();
  readonly #told = new Set<string>();
  #values: ReadonlyMap<string, readonly string[]> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(parts: SettingsParts) {
    this.#parts = parts;
  }

  get direct(): DirectMode {
    return this.#read('xmpp.direct', parseDirectMode) ?? 'private';
  }

  /** How long a link waits for a way to the other device, in milliseconds. */
  get giveUpMs(): number {
    return this.#read('xmpp.giveUp', (text) => parseDuration('xmpp.giveUp', text, GIVE_UP)) ?? DEFAULT_GIVE_UP_MS;
  }

  /** The least that the agent's log holds. */
  get logLevel(): LogLevel {
    return this.#read('xmpp.logLevel', (text) => parseLogLevel('xmpp.logLevel', text)) ?? 'info';
  }

  /** Bytes a second under `key`, such as `xmpp.limit.up`; undefined for no limit. */
  rate(key: string): number | undefined {
    return this.#read(key, (text) => parseRate(key, text));
  }

  /** Reads what may have changed. What cannot be read leaves the values as they were. */
  async refresh(): Promise<void> {
    const { clock, runGit } = this.#parts;
    const isFresh = (): boolean => Math.abs(clock.now() - this.#readAt) < FRESH_MS;
    if (isFresh()) return;
    await this.#serial.run(async () => {
      if (isFresh()) return;
      this.#readAt = clock.now();
      try {
        // No repository has a say in what holds for all of them.
        const { stdout } = await runGit(['config', '--null', '--includes', '--list'], { dir: '/', env: { GIT_CEILING_DIRECTORIES: '/' } });
        this.#values = parseList(stdout);
      } catch (error) {
        this.#tell('read', asFault(error, "reading git's configuration"));
      }
    });
  }

  /** @returns undefined when it is not set, or set to what cannot be used */
  #read<T>(key: string, parse: (text: string) => T): T | undefined {
    const text = this.#parts.config.get(key) ?? this.#values.get(normalizeKey(key))?.at(-1);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      this.#tell(`${key}=${text}`, asFault(error, key));
      return undefined;
    }
  }

  #tell(what: string, fault: Fault): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#parts.onProblem(fault);
  }
}
