// When to ask the server for an acknowledgement (XEP-0198 §4). Rule: by count, so that a steady stream cannot put it off;
// the library's timer, armed anew by each stanza, never fires under load and keeps every stanza in memory.

const STANZAS = 16;
const BYTES = 65_536;

export class AckPace {
  #stanzas = 0;
  #bytes = 0;

  /** Counts one stanza that was sent; says whether it is time to ask. */
  sent(bytes: number): boolean {
    this.#stanzas += 1;
    this.#bytes += bytes;
    if (this.#stanzas < STANZAS && this.#bytes < BYTES) return false;
    this.#stanzas = 0;
    this.#bytes = 0;
    return true;
  }
}
