// The last thing that went wrong between this device and each peer, until it works again (docs/API.md, "status"). Rule: taken from the events, which
// everybody is told; one that is over is not shown.

import { isFaultCode } from '../lib/fault-catalogue.ts';
import { remedyOf } from '../lib/errors.ts';
import type { AgentEvent, Events } from './events.ts';

/** What went wrong last; `code` as in faults, `at` in milliseconds since 1970. */
export interface Trouble {
  readonly at: number;
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What is wrong, and what says that it is over. */
const BEGINS = new Set(['offer-failed', 'offer-refused', 'contact-failed', 'mirror-failed', 'remote-failed', 'newer-version']);
const ENDS: Readonly<Record<string, readonly string[]>> = {
  offered: ['offer-failed', 'mirror-failed'],
  moved: ['offer-refused', 'mirror-failed'],
  'transfer-ended': ['offer-failed'],
  'link-up': ['contact-failed'],
};
/** That a peer is not there is a state, and no error. */
const STATES = new Set(['peer-offline', 'not-connected']);

/** Listens from the start to the end of the agent. */
export class Troubles {
  readonly #last = new Map<string, Trouble & { readonly type: string }>();

  constructor(events: Pick<Events, 'listen'>) {
    events.listen((event) => this.#note(event));
  }

  /** Of a repository on a peer, by the names that people know; of the peer itself without one. */
  of(peer: string, repo?: string): Trouble | undefined {
    const found = this.#last.get(keyOf(peer, repo));
    if (found === undefined) return undefined;
    const { type: _type, ...trouble } = found;
    return trouble;
  }

  #note({ type, peer, repo, at, words, code = 'internal', remedy }: AgentEvent): void {
    if (peer === undefined) return;
    for (const key of [keyOf(peer, repo), keyOf(peer)]) {
      const last = this.#last.get(key);
      if (last !== undefined && ENDS[type]?.includes(last.type) === true) this.#last.delete(key);
    }
    if (!BEGINS.has(type) || STATES.has(code)) return;
    const ends = remedy ?? (isFaultCode(code) ? remedyOf({ code, message: words }) : undefined);
    this.#last.set(keyOf(peer, repo), { type, at, code, message: words, ...(ends === undefined ? {} : { remedy: ends }) });
  }
}

function keyOf(peer: string, repo = ''): string {
  return `${peer} ${repo}`;
}
