// What peers did wrong on links (docs/THREATS.md). Rule: each is counted; of each link, however often it repeats itself, the log has one
// line, and one more at its end where there was more to say.

import type { Log } from '../lib/log.ts';

/** Links, or accounts whose carriers found no link, that are told apart; the rest is counted together. */
const MAX_TOLD = 512;

/** Counts for as long as the agent runs. */
export class Offences {
  readonly #log: Log;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** All that were ever noted. */
  get total(): number {
    return this.#total;
  }

  /**
   * Counts one, and tells the first of its kind.
   * @param of a link's id, or an account
   * @param fields beside the words, such as why
   */
  note(of: string, what: string, fields: Readonly<Record<string, string>>): void {
    this.#total += 1;
    const isFull = this.#counts.size >= MAX_TOLD && !this.#counts.has(of);
    const key = isFull ? '' : of;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count === 1) this.#log.info(what, fields);
  }

  /** The link has ended. */
  ended(of: string): void {
    const count = this.#counts.get(of) ?? 0;
    this.#counts.delete(of);
    if (count > 1) this.#log.info('refused in all on a link that has ended', { count });
  }
}
