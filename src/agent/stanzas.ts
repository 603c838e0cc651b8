// The stanzas of the agent as they go, for whoever looks on (`daemon run --debug`, `git xmpp log --stanzas`). Rule: they are written out only while somebody
// does, and only in the form of trace.ts, which no secret and no payload passes.

import { follow } from '../lib/follow.ts';
import type { Element } from '../xmpp/element.ts';
import { formatTrace } from '../xmpp/trace.ts';

/** A line of `GET /stanzas`: one stanza, `text` of several lines. */
export interface StanzaLine {
  readonly text: string;
}

export class Stanzas {
  readonly #listeners = new Set<(stanza: StanzaLine) => void>();

  /** @param show where all of them are shown, if anywhere */
  constructor(show: ((text: string) => void) | undefined) {
    if (show !== undefined) this.#listeners.add(({ text }) => show(text));
  }

  pass(direction: 'in' | 'out', element: Element): void {
    if (this.#listeners.size === 0) return;
    const stanza = { text: formatTrace(direction, element) };
    for (const listener of this.#listeners) listener(stanza);
  }

  /** Those to come, until `signal`. */
  follow(signal: AbortSignal): AsyncGenerator<StanzaLine> {
    return follow((listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    }, signal);
  }
}
