// What was refused to peers. Rule: everything is counted, and of each account each kind is logged once: who tries a thousand times fills no log.

import { bareOf } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
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

  /** @param why stable words: they tell the kind */
  add(peer: FullJid, why: string): void {
    this.#count += 1;
    const account = bareOf(peer);
    const kind = `${account}\n${why}`;
    if (this.#kinds.has(kind) || this.#kinds.size >= MAX_KINDS) return;
    this.#kinds.add(kind);
    this.#log.info('refused; told once for each account and reason', { account, why });
  }
}
