// The words for people in what a git service of a peer answers: bands 2 and 3 of a side band (gitprotocol-pack(5)), which git writes to the terminal as they
// come. Rule: what would steer a terminal becomes "?", and no byte else is touched, added or lost; what is no packet line passes, for git to say what is wrong.

const HEADER_DIGITS = 4;
const MASK = 0x3f;
/** Before one of 0x80 to 0x9f it makes a control character of UTF-8. */
const LEADS_CONTROL = 0xc2;

/** Follows one answer from its first byte. */
export class SideBandWords {
  #header = '';
  /** Of the packet that has begun. */
  #left = 0;
  #isAtBand = false;
  #isWords = false;
  #last = 0;
  /** No packet lines: a pack without side band, or nothing that git reads. */
  #isOther = false;

  /** @returns the same bytes as they may be shown; `part` itself where nothing in it is changed */
  clean(part: Uint8Array): Uint8Array {
    let out = part;
    let at = 0;
    while (at < part.length && !this.#isOther) {
      if (this.#left === 0) {
        this.#begin(part[at] ?? 0);
        at += 1;
        continue;
      }
      const end = Math.min(part.length, at + this.#left);
      this.#left -= end - at;
      if (this.#isAtBand) {
        this.#isWords = part[at] === 2 || part[at] === 3;
        this.#isAtBand = false;
        at += 1;
      }
      if (this.#isWords && end > at) {
        if (out === part) out = Uint8Array.from(part);
        this.#mask(out.subarray(at, end));
      }
      at = end;
    }
    return out;
  }

  #begin(digit: number): void {
    this.#header += String.fromCharCode(digit);
    if (this.#header.length < HEADER_DIGITS) return;
    this.#isOther = !/^[0-9a-f]{4}$/i.test(this.#header);
    const length = this.#isOther ? 0 : Number.parseInt(this.#header, 16);
    this.#header = '';
    // Less than itself has a flush, a delimiter, the end of an answer: nothing is behind them.
    this.#left = Math.max(0, length - HEADER_DIGITS);
    this.#isAtBand = this.#left > 0;
  }

  #mask(words: Uint8Array): void {
    for (const [index, byte] of words.entries()) {
      if (isControl(byte) || (this.#last === LEADS_CONTROL && byte >= 0x80 && byte <= 0x9f)) words[index] = MASK;
      this.#last = byte;
    }
  }
}

/** Tabs, and the ends of lines that progress is made of, are none. */
function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f;
}
