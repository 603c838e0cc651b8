// What two devices say on a bulk lane, and of it inside their link (docs/PROTOCOL.md, "Bulk lanes"). Rule: the first bytes name the link and
// the stream that the lane is for; lengths are bounded and offsets are checked by whoever acts on them.

import { concatBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { ByteReader, encodeHex, encodeU32, encodeU64 } from '../pipe/fields.ts';
import { parseLinkId } from '../pipe/frame-format.ts';
import type { LinkId } from '../pipe/frame-format.ts';

/*
 * Integers are big-endian. Inside of TLS 1.3:
 *
 *   HELLO    version u8 · link id 16 · stream u32 · way u8      first, from the dialler: 22 bytes
 *   START    offset u64                                         first from who sends: of the first byte that follows
 *   then     length u32 · bytes                                 1 to 1 MiB; length 0: alive; length 2^32 - 1: done, all is acknowledged
 *   ACK      offset u64, again and again                        from who receives: every byte before it has come; also said to be alive
 */

/** Application protocol of the TLS of a lane (RFC 7301): no link can be taken for one. */
export const LANE_PROTOCOL = 'git-xmpp-lane';
/** Response header: whoever answers takes lanes for this stream. */
export const LANE_HEADER = 'bulk-lane';
const LANE_VERSION = 1;
export const HELLO_BYTES = 22;
/** Most bytes of one part. */
export const MAX_PART = 1 << 20;
const DONE = 0xffff_ffff;

/** From the dialler to the listener, or back. */
export type LaneWay = 'up' | 'down';
const WAYS: readonly LaneWay[] = ['up', 'down'];

/** Which stream of a link a lane is for. */
export interface LaneName {
  /** The number that HTTP/2 gave it. */
  readonly stream: number;
  readonly way: LaneWay;
}

export function encodeHello(linkId: LinkId, { stream, way }: LaneName): Uint8Array {
  return concatBytes([Uint8Array.of(LANE_VERSION), encodeHex(linkId), encodeU32(stream), Uint8Array.of(WAYS.indexOf(way))]);
}

/** @throws InputFault */
export function parseHello(bytes: Uint8Array): LaneName & { readonly linkId: LinkId } {
  const reader = new ByteReader('lane', bytes);
  if (reader.u8() !== LANE_VERSION) throw new InputFault('lane', 'is of another version');
  const hello = { linkId: parseLinkId(reader.hex(16)), stream: reader.u32(), way: reader.oneOf(WAYS) };
  reader.end();
  return hello;
}

export function encodeStart(offset: number): Uint8Array {
  return encodeU64(offset);
}

/** What goes before `length` bytes; 0 says no more than that this end is alive. */
export function encodePartHeader(length: number): Uint8Array {
  return encodeU32(length);
}

export function encodeDone(): Uint8Array {
  return encodeU32(DONE);
}

export function encodeAck(offset: number): Uint8Array {
  return encodeU64(offset);
}

/** What who sends said. */
export type LaneSaid = { readonly type: 'start'; readonly offset: number } | { readonly type: 'part'; readonly bytes: Uint8Array } | { readonly type: 'done' };

/** Reads what who sends says, in any pieces; parts are handed on as they come, uncopied. */
export class LaneDecoder {
  readonly #held = new Held();
  #hasStarted = false;
  #isDone = false;
  /** Bytes of the present part that are still to come. */
  #left = 0;

  /** @throws InputFault on a part that is too long, or anything behind the end */
  receive(bytes: Uint8Array): LaneSaid[] {
    const said: LaneSaid[] = [];
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#isDone) throw new InputFault('lane', 'goes on behind its end');
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        this.#left -= part.length;
        rest = rest.subarray(part.length);
        said.push({ type: 'part', bytes: part });
      } else rest = this.#readField(rest, said);
    }
    return said;
  }

  #readField(bytes: Uint8Array, said: LaneSaid[]): Uint8Array {
    const { field, rest } = this.#held.fill(bytes, this.#hasStarted ? 4 : 8);
    if (field === undefined) return rest;
    const reader = new ByteReader('lane', field);
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      said.push({ type: 'start', offset: reader.u64() });
      return rest;
    }
    const length = reader.u32();
    if (length === DONE) {
      this.#isDone = true;
      said.push({ type: 'done' });
    } else if (length > MAX_PART) throw new InputFault('lane', `has a part of ${length} bytes`);
    else this.#left = length;
    return rest;
  }
}

/** Reads what who receives says: offsets. */
export class AckDecoder {
  readonly #held = new Held();

  /** @returns the newest whole offset, if there is one */
  receive(bytes: Uint8Array): number | undefined {
    let newest: number | undefined;
    for (let rest = bytes; rest.length > 0; ) {
      const filled = this.#held.fill(rest, 8);
      rest = filled.rest;
      if (filled.field !== undefined) newest = Math.max(newest ?? 0, new ByteReader('lane', filled.field).u64());
    }
    return newest;
  }
}

/** The beginning of a field that is cut in two. */
class Held {
  #bytes: Uint8Array = new Uint8Array(0);

  /** The field of `length` bytes, once it is whole, and what follows. */
  fill(bytes: Uint8Array, length: number): { readonly field: Uint8Array | undefined; readonly rest: Uint8Array } {
    const missing = length - this.#bytes.length;
    this.#bytes = concatBytes([this.#bytes, bytes.subarray(0, missing)]);
    const rest = bytes.subarray(missing);
    if (this.#bytes.length < length) return { field: undefined, rest };
    const field = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return { field, rest };
  }
}

/** What a dialler says of a lane in a request to `/carriers`: that it is about to offer one, or that one is lost. */
export type LaneWord =
  | ({ readonly type: 'offer'; readonly sid: string } & LaneName)
  /** `received`: up to where the dialler has the body that comes down; undefined where it never heard of a beginning, and with `up`. */
  | ({ readonly type: 'lost'; readonly received: number | undefined } & LaneName);

export function formatLaneLost({ stream, way }: LaneName, received: number | undefined): unknown {
  return { lane: { stream, way, lost: true, ...(received === undefined ? {} : { received }) } };
}

/** @returns undefined for a request that is of no lane. @throws InputFault */
export function parseLaneWord(body: unknown): LaneWord | undefined {
  const { lane, sid } = fieldsOf(body);
  if (lane === undefined) return undefined;
  const { stream, way, lost, received } = fieldsOf(lane);
  if (typeof stream !== 'number' || !Number.isInteger(stream) || stream < 1 || stream > 0x7fff_ffff) throw new InputFault('lane', 'names no stream');
  if (way !== 'up' && way !== 'down') throw new InputFault('lane', 'goes neither up nor down');
  if (lost === true) return { type: 'lost', stream, way, received: received === undefined ? undefined : parseOffset(received) };
  if (typeof sid !== 'string') throw new InputFault('lane', 'has no sid');
  return { type: 'offer', stream, way, sid };
}

/** The answer to the loss of a lane that went up: up to where the body has come. */
export function formatReceived(received: number | undefined): unknown {
  return received === undefined ? {} : { received };
}

/** @throws InputFault */
export function parseReceived(body: unknown): number | undefined {
  const { received } = fieldsOf(body);
  return received === undefined ? undefined : parseOffset(received);
}

function parseOffset(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InputFault('lane', 'tells no offset');
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
