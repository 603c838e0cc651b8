// What one stanza may be made of (RFC 6120 §13.12). Rule: a server with usual limits passes on whatever a stranger sends, so no stanza that it would
// pass on may end the connection; one that nests deeper or holds more than anything of ours comes in empty, and is answered as an empty one is.

import type { Parser } from '@xmpp/client';

/** Levels below the stanza itself: what reads an element by its depth would run out of stack. What is read here has at most eight. */
const MAX_DEPTH = 64;
/** Elements of a stanza, itself included: one costs a hundred times the four characters it may take. A roster of ten thousand has fewer. */
const MAX_ELEMENTS = 32_768;

/** A parser of the library's kind that builds no more than that of a stanza, for one stream. */
export function boundedParser(Library: new () => Parser): new () => Parser {
  return class extends Library {
    /** Of the element that is read; the stream's own is 0, a stanza 1. */
    #depth = -1;
    #elements = 0;
    #isTooMuch = false;

    override onStartElement(name: string, attrs: Readonly<Record<string, string>>): void {
      this.#depth += 1;
      this.#elements += 1;
      if (this.#depth - 1 > MAX_DEPTH || this.#elements > MAX_ELEMENTS) this.#empty();
      if (!this.#isSkipped()) super.onStartElement(name, attrs);
    }

    /** What stands between stanzas keeps the line alive and says nothing; the library would keep all of it. */
    override onText(text: string): void {
      if (this.#depth !== 0 && !this.#isTooMuch) super.onText(text);
    }

    override onEndElement(name: string): void {
      const isSkipped = this.#isSkipped();
      this.#depth -= 1;
      if (!isSkipped) super.onEndElement(name);
      if (this.#depth > 0) return;
      this.#elements = 0;
      this.#isTooMuch = false;
    }

    /** Only the stanza itself is left of one that is too much. */
    #isSkipped(): boolean {
      return this.#isTooMuch && this.#depth > 1;
    }

    #empty(): void {
      if (this.#isTooMuch) return;
      this.#isTooMuch = true;
      for (let above = this.cursor?.parent; above; above = above.parent) this.cursor = above;
      if (this.cursor !== null) this.cursor.children = [];
    }
  };
}
