// What a push says before its pack: a line for each ref, then a flush packet (gitprotocol-pack(5), "Reference Update Request"). Rule: it is
// read as it comes in, for `git receive-pack` takes as many lines as are sent, keeps them in memory, and writes a file for each.

import { InputFault } from '../lib/errors.ts';
import { concatBytes } from '../lib/bytes.ts';
import { isRefName } from '../lib/names.ts';
import { MAX_MAP_REFS } from '../sync/map-format.ts';

/** Every ref of a map as large as may be may go, and as many come. */
export const MAX_COMMANDS = 2 * MAX_MAP_REFS;
/** Two ids and a name of a hundred bytes for each of them, about. */
export const MAX_COMMAND_BYTES = 8 << 20;
/** Two ids, a name and the words of the first line; longer names make folders so deep that nothing gets them away again. */
export const MAX_LINE_BYTES = 2048;
const HEADER_DIGITS = 4;

/** Follows a push to the end of its commands; of what is behind them it knows nothing. */
export class PushHead {
  readonly #corner: string | undefined;
  #lines = 0;
  #bytes = 0;
  #header = '';
  #line: Uint8Array[] = [];
  /** Of the packet that has begun. */
  #left = 0;
  #isOver = false;

  /**
   * @param corner where every ref has to lie (`refs/xmpp/<device>`), under a name that can be told to others: one that is not UTF-8, or the corner itself, would
   *   lie there unseen, and keep git from writing what is below it or above
   */
  constructor(corner?: string) {
    this.#corner = corner;
  }

  /** @throws InputFault when it names too many refs, or others than it may, or is no push */
  push(part: Uint8Array): void {
    let at = 0;
    while (!this.#isOver && at < part.length) {
      if (this.#left > 0) {
        const piece = part.subarray(at, at + this.#left);
        this.#line.push(piece);
        this.#left -= piece.length;
        at += piece.length;
        if (this.#left === 0) this.#end();
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
    if (length > MAX_LINE_BYTES) throw new InputFault('push', `names a ref in more than ${MAX_LINE_BYTES} bytes`);
    this.#left = length - HEADER_DIGITS;
    this.#lines += 1;
    this.#bytes += length;
    if (this.#lines > MAX_COMMANDS) throw new InputFault('push', `names more than ${MAX_COMMANDS} refs`);
    if (this.#bytes > MAX_COMMAND_BYTES) throw new InputFault('push', `names refs in more than ${MAX_COMMAND_BYTES} bytes`);
  }

  #end(): void {
    const line = concatBytes(this.#line.splice(0));
    if (this.#corner === undefined) return;
    // Behind a NUL the first line says what its sender can do; git takes a line break at the end for nothing.
    const text = Buffer.from(line).toString('utf8').replace(/\n?(?:\0[^]*)?$/, '');
    const name = /^[0-9a-f]{40,64} [0-9a-f]{40,64} ([^]*)$/.exec(text)?.[1];
    if (name === undefined || !name.startsWith(`${this.#corner}/`) || !isRefName(name)) throw new InputFault('push', 'names a ref that it may not write');
  }
}
