// What was refused to peers. Rule: everything is counted, and of each account each kind is logged once: who tries a thousand times fills no log.

import type { Log } from '../lib/log.ts';

/** Kinds and accounts that are told apart; those that come after are only counted. */
const MAX_KINDS = 256;

/** The refusals of one kind of carrier, over all sign-ins of an agent. */
export class Refused {
  readonly #log: Log;
  readonly #kinds = new Set<string>();
  #count = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  /** What no account can be named for, and is logged by who found it. */
  addUnnamed(): void {
    this.#count += 1;
  }

  /** @param from any JID @param why stable words, none of the sender's own: they tell the kind */
  add(from: string, why: string): void {
    this.#count += 1;
    const [account = ''] = from.split('/');
    const kind = `${account}\n${why}`;
    if (this.#kinds.has(kind) || this.#kinds.size >= MAX_KINDS) return;
    this.#kinds.add(kind);
    this.#log.info('refused; told once for each account and reason', { account, why });
  }
}
