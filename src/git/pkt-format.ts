// Packet lines (gitprotocol-common(5), "pkt-line Format"), as far as a push in smart HTTP's form needs them (gitprotocol-http(5)).
// Rule: what git is told of the other side is made here of checked names, and what git answers is taken apart strictly.

import { ByteQueue, utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';

const FLUSH = '0000';
const HEADER_BYTES = 4;
/** The longest packet, its header included. */
const MAX_PACKET = 65_520;
/** Digits of a SHA-256 object id. */
const SHA256_DIGITS = 64;

/**
 * What `git receive-pack` would advertise if it held just `refs` (gitprotocol-pack(5), "Reference Discovery"). No side-band and no
 * report: how it ended is told in another way.
 * @param algorithmOf any object id of the repository: its length says which hash is in use
 */
export function formatAdvertisement(refs: ReadonlyMap<RefName, Oid>, algorithmOf: Oid): Uint8Array {
  const algorithm = algorithmOf.length === SHA256_DIGITS ? 'sha256' : 'sha1';
  const capabilities = `\0delete-refs ofs-delta object-format=${algorithm}`;
  const lines = [...refs].map(([ref, oid]) => `${oid} ${ref}`);
  const [first = `${'0'.repeat(algorithmOf.length)} capabilities^{}`, ...rest] = lines;
  return utf8([`${first}${capabilities}`, ...rest].map((line) => packet(`${line}\n`)).join('') + FLUSH);
}

function packet(text: string): string {
  return (Buffer.byteLength(text) + HEADER_BYTES).toString(16).padStart(HEADER_BYTES, '0') + text;
}

/** What lies inside packets, as they come: `git send-pack --stateless-rpc` wraps a whole push in them. */
export class PacketReader {
  readonly #queue = new ByteQueue();
  #left = 0;
  #isOver = false;

  /** Whether the flush packet at the end has come. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns the content that is new. @throws InputFault on anything that is no packet, or comes behind the end */
  push(bytes: Uint8Array): Uint8Array[] {
    this.#queue.push(bytes);
    const found: Uint8Array[] = [];
    while (this.#queue.length > 0) {
      if (this.#left > 0) {
        const part = this.#queue.take(this.#left);
        this.#left -= part.length;
        found.push(part);
      } else if (this.#queue.length < HEADER_BYTES) break;
      else this.#begin(Buffer.from(this.#queue.take(HEADER_BYTES)).toString('latin1'));
    }
    return found;
  }

  #begin(header: string): void {
    const length = /^[0-9a-f]{4}$/.test(header) ? Number.parseInt(header, 16) : Number.NaN;
    const isFlush = length === 0;
    // Behind the pack git ends twice.
    const isRight = isFlush || (!this.#isOver && length >= HEADER_BYTES && length <= MAX_PACKET);
    if (!isRight) throw new InputFault('packet', 'is none that git writes');
    this.#isOver = isFlush;
    this.#left = isFlush ? 0 : length - HEADER_BYTES;
  }
}
