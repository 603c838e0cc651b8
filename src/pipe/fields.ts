// Fields of a frame as bytes and back. Rule: an integer is one that a double holds exactly, and a field that is cut short or
// left over is an error of the sender.

import { InputFault } from '../lib/errors.ts';

/** @throws InputFault on anything but an integer from 0 to 2^32 - 1 */
export function encodeU32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new InputFault('u32', `${value} does not fit`);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @throws InputFault on anything but an integer from 0 to 2^53 - 1 */
export function encodeU64(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new InputFault('u64', `${value} does not fit`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** The bytes of hex digits that have been checked. */
export function encodeHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Reads fields one after the other. */
export class ByteReader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param what names the bytes in errors */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
  }

  /** Exactly `count` bytes, not copied. @throws InputFault when fewer are left, as every reader below */
  bytes(count: number): Uint8Array {
    if (this.#bytes.length - this.#at < count) throw new InputFault(this.#what, 'is cut short');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** All that is left, at least `min` bytes. */
  rest(min: number): Uint8Array {
    return this.bytes(Math.max(min, this.#bytes.length - this.#at));
  }

  u8(): number {
    return this.#view(1).getUint8(0);
  }

  u32(): number {
    return this.#view(4).getUint32(0);
  }

  /** @throws InputFault above 2^53 - 1 */
  u64(): number {
    const value = this.#view(8).getBigUint64(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new InputFault(this.#what, 'has an offset above 2^53');
    return Number(value);
  }

  hex(count: number): string {
    return Array.from(this.bytes(count), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** The value that a u8 stands for. */
  oneOf<T>(values: readonly T[]): T {
    const code = this.u8();
    const value = values[code];
    if (value === undefined) throw new InputFault(this.#what, `has the unknown code ${code}`);
    return value;
  }

  /** A text of 1 to `max` bytes behind its u8 length. @throws InputFault when it is no UTF-8 */
  text(max: number): string {
    const length = this.u8();
    if (length < 1 || length > max) throw new InputFault(this.#what, `has a text that is not 1 to ${max} bytes long`);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(length));
    } catch (cause) {
      throw cause instanceof InputFault ? cause : new InputFault(this.#what, 'has a text that is no UTF-8', { cause });
    }
  }

  /** @throws InputFault when bytes are left */
  end(): void {
    if (this.#at < this.#bytes.length) throw new InputFault(this.#what, 'is too long');
  }

  #view(count: number): DataView {
    const { buffer, byteOffset } = this.bytes(count);
    return new DataView(buffer, byteOffset, count);
  }
}
