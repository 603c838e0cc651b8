// The stdout channel of a git stream, gathered: HTTP/2 hands its bytes out in many small parts, down to 9 bytes (docs/decisions/0028-fewer-larger-pieces.md).
// Rule: what comes in one turn of the event loop leaves in as few frames as hold it, in order, and a frame's memory is used again when it is written.

import { unsetBytes } from '../lib/bytes.ts';
import { HEADER_BYTES, MAX_PAYLOAD, STDOUT, writeHeader } from './stream-format.ts';

/** Frames that wait to be filled again; more may be under way. */
const MAX_SPARE = 4;

/** Parts in, frames out. */
export class Gather {
  readonly #write: (frame: Uint8Array, written: () => void) => void;
  #frame: Uint8Array | undefined;
  #length = 0;
  #spare: Uint8Array[] = [];
  #isDue = false;

  /** @param write gets each frame, and calls `written` when its memory is free again */
  constructor(write: (frame: Uint8Array, written: () => void) => void) {
    this.#write = write;
  }

  add(part: Uint8Array): void {
    for (let at = 0; at < part.length; ) {
      const piece = part.length - at > MAX_PAYLOAD - this.#length ? part.subarray(at, at + MAX_PAYLOAD - this.#length) : part.subarray(at);
      this.#frame ??= this.#spare.pop() ?? unsetBytes(HEADER_BYTES + MAX_PAYLOAD);
      this.#frame.set(piece, HEADER_BYTES + this.#length);
      this.#length += piece.length;
      at += piece.length;
      if (this.#length === MAX_PAYLOAD) this.flush();
    }
    if (this.#isDue || this.#length === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  /** Writes what there is. */
  flush(): void {
    const frame = this.#frame;
    if (frame === undefined) return;
    const filled = frame.subarray(0, HEADER_BYTES + this.#length);
    this.#frame = undefined;
    this.#length = 0;
    writeHeader(filled, STDOUT);
    this.#write(filled, () => {
      if (this.#spare.length < MAX_SPARE) this.#spare.push(frame);
    });
  }
}
