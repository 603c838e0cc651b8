// The bytes of a stream as text for the parser (RFC 6120 §11.6).
// Rule: no character is cut in two, and the parser never sees an unfinished run of text.

import { StringDecoder } from 'node:string_decoder';
import { InputFault } from '../lib/errors.ts';

/**
 * Characters of an element at most: one that is never finished would fill the memory. Usual servers pass on stanzas of up to 512 KiB, and may write each
 * of their characters as six (`&quot;`).
 */
export const MAX_INCOMING = 4 << 20;

/**
 * Decodes UTF-8 across chunks, and holds back what follows the last ">": ltx searches such a run anew for every
 * character of it, so its work grows with the square of the chunk.
 */
export class StreamText {
  readonly #decoder = new StringDecoder('utf8');
  #held: string[] = [];
  #heldLength = 0;

  /**
   * The text that may go to the parser now; empty when nothing ends yet.
   * @throws InputFault when over four million characters hold no ">"
   */
  receive(bytes: Uint8Array): string {
    const text = this.#decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const end = text.lastIndexOf('>') + 1;
    if (end === 0) {
      this.#hold(text);
      return '';
    }
    const whole = this.#held.join('') + text.slice(0, end);
    this.#held = [];
    this.#heldLength = 0;
    this.#hold(text.slice(end));
    return whole;
  }

  #hold(text: string): void {
    if (text === '') return;
    this.#held.push(text);
    this.#heldLength += text.length;
    if (this.#heldLength > MAX_INCOMING)
      throw new InputFault('the stream from the server', `holds no end of an element in ${MAX_INCOMING} characters`);
  }
}
