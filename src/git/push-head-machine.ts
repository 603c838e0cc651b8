// What a push says before its pack: a line for each ref, then a flush packet (gitprotocol-pack(5), "Reference Update Request"). Rule: it is
// counted as it comes in, for `git receive-pack` takes as many lines as are sent, keeps them in memory, and writes a file for each.

import { InputFault } from '../lib/errors.ts';
import { MAX_MAP_REFS } from '../sync/map-format.ts';

/** Every ref of a map as large as may be may go, and as many come. */
export const MAX_COMMANDS = 2 * MAX_MAP_REFS;
/** Two ids and a name of a hundred bytes for each of them, about. */
export const MAX_COMMAND_BYTES = 8 << 20;
const HEADER_DIGITS = 4;

/** Follows a push to the end of its commands; of what is behind them it knows nothing. */
export class PushHead {
  #lines = 0;
  #bytes = 0;
  #header = '';
  /** Of the packet that has begun. */
  #left = 0;
  #isOver = false;

  /** @throws InputFault when it names too many refs, or is no push */
  push(part: Uint8Array): void {
    let at = 0;
    while (!this.#isOver && at < part.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, part.length - at);
        this.#left -= step;
        at += step;
      } else {
        this.#header += String.fromCharCode(part[at] ?? 0);
        at += 1;
        if (this.#header.length === HEADER_DIGITS) this.#begin();
      }
    }
  }

  #begin(): void {
    const length = /^[0-9a-fA-F]{4}$/.test(this.#header) ? Number.parseInt(this.#header, 16) : Number.NaN;
    this.#header = '';
    this.#isOver = length === 0;
    if (this.#isOver) return;
    if (!(length > HEADER_DIGITS)) throw new InputFault('push', 'begins with something else than packet lines');
    this.#left = length - HEADER_DIGITS;
    this.#lines += 1;
    this.#bytes += length;
    if (this.#lines > MAX_COMMANDS) throw new InputFault('push', `names more than ${MAX_COMMANDS} refs`);
    if (this.#bytes > MAX_COMMAND_BYTES) throw new InputFault('push', `names refs in more than ${MAX_COMMAND_BYTES} bytes`);
  }
}
