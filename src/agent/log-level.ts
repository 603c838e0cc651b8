// The level of the agent's log while it runs. Rule: what is set holds within a minute, and at RELOAD; nobody has to start the agent anew to see more.

import type { Clock } from '../lib/clock.ts';
import type { LogLevel } from '../lib/log.ts';
import type { Settings } from '../home/settings.ts';

const LOOK_EVERY_MS = 60_000;

/** The level that holds now; `info` until the settings are known. */
export class LogLevelNow {
  readonly #isDebug: boolean;
  #settings: Pick<Settings, 'logLevel' | 'refresh'> | undefined;

  /** @param isDebug whatever is set, everything is wanted (`--debug`) */
  constructor(isDebug: boolean) {
    this.#isDebug = isDebug;
  }

  get level(): LogLevel {
    if (this.#isDebug) return 'debug';
    return this.#settings?.logLevel ?? 'info';
  }

  /** Follows the settings from now on. */
  follow(settings: Pick<Settings, 'logLevel' | 'refresh'>, clock: Clock): void {
    this.#settings = settings;
    clock.setTimer(LOOK_EVERY_MS, () => void settings.refresh().finally(() => this.follow(settings, clock)));
  }
}
