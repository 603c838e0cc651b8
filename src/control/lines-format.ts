// Many answers to one question: newline-delimited JSON, one value a line. Rule: a line is at most 1 MiB of strict UTF-8.

import { ByteQueue, utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';

/** Longest line without its line break, in bytes. */
export const MAX_LINE = 1024 * 1024;

const NEWLINE = 0x0a;

/** One value as a line. @throws InputFault when it is too long, or nothing that JSON can hold */
export function encodeLine(value: unknown): Uint8Array {
  const line = utf8(`${JSON.stringify(value ?? null)}\n`);
  if (line.length > MAX_LINE + 1) throw new InputFault('line', `is longer than ${MAX_LINE} bytes`);
  return line;
}

/** Cuts what arrives, in pieces of any size, into values. */
export class LineDecoder {
  readonly #queue = new ByteQueue();

  /** Whether a line has begun and not ended. */
  get isInLine(): boolean {
    return this.#queue.length > 0;
  }

  /** The values of the lines that `bytes` complete. @throws InputFault on a long line, broken UTF-8 or broken JSON */
  receive(bytes: Uint8Array): unknown[] {
    const values: unknown[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#push(bytes.subarray(from, end));
      values.push(parseJson(this.#queue.take(MAX_LINE)));
      from = end + 1;
    }
    this.#push(bytes.subarray(from));
    return values;
  }

  #push(bytes: Uint8Array): void {
    if (this.#queue.length + bytes.length > MAX_LINE) throw new InputFault('line', `is longer than ${MAX_LINE} bytes`);
    this.#queue.push(bytes);
  }
}

/** A JSON text in UTF-8. @throws InputFault on anything else */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputFault('JSON', 'is broken', { cause: error });
  }
}
