// The frames that two ends of a pipe exchange over a carrier (docs/PROTOCOL.md, "Pipe"); the table below is the whole format.
// Rule: a frame is parsed completely and strictly, each type within its own length, before anything acts on it.

import { concatBytes, unsetBytes, utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { ByteReader, encodeHex, encodeU32, encodeU64 } from './fields.ts';

/*
 * Integers are big-endian; `length` counts the payload alone.
 *
 *   every frame   type u8 · length u32 · payload
 *
 *   1 OPEN        version u8 · link id 16              first on a pipe's first carrier, from the dialler
 *   2 DATA        offset u64 · bytes 1 to 65 536       offset of the first byte, exactly the next one that is missing
 *   3 ACK         received u64                         every byte before this offset has arrived
 *   4 RESUME      link id 16 · epoch u32 · role u8 · received u64 · kind u8 · sid length u8 · sid 1 to 128 (UTF-8) · MAC 32
 *                                                      first on each later carrier, from the dialler; the epoch strictly rises
 *   5 RESUMED     as RESUME                            the listener's answer, same epoch, first on that carrier
 *   6 PING        number u32                           answer at once
 *   7 PONG        number u32                           the number of the newest PING
 *   8 CLOSE       reason u8                            the last frame: 0 done · 1 protocol · 2 refused · 3 unknown-link
 *                                                      · 4 newer-version · 5 busy · 6 gone-away
 *
 *   role          0 dialler · 1 listener               of the sender
 *   kind          0 in-band · 1 socks5 · 2 direct      of the carrier that the frame is sent on, as its sid is
 *   MAC           HMAC-SHA-256 under the link's TLS exporter over "git-xmpp-pipe/1", type u8 and the fields before it
 */

/** What OPEN says; a listener answers a higher one with CLOSE `newer-version`. */
export const PIPE_VERSION = 1;
/** Most bytes of the stream in one DATA frame. */
export const MAX_DATA = 64 * 1024;
/** Bytes that a DATA frame adds to those it carries. */
export const DATA_OVERHEAD = 13;
/** Type and length. */
export const HEADER_BYTES = 5;
/** What comes before the bytes in the payload of DATA. */
export const OFFSET_BYTES = 8;

const MAC_BYTES = 32;
const MAX_SID = 128;
const RESUME_BYTES = 16 + 4 + 1 + 8 + 1 + 1 + MAX_SID + MAC_BYTES;

/** The lasting name of a pipe: 16 random bytes of the dialler as 32 lower-case hex digits. */
export type LinkId = string & { readonly __type: 'LinkId' };
/** Only the dialler opens carriers. */
export type PipeRole = (typeof ROLES)[number];
/** The carrier that a pipe runs on. */
export interface CarrierName {
  readonly kind: (typeof KINDS)[number];
  /** 1 to 128 bytes in UTF-8. */
  readonly sid: string;
}
/** Why a pipe ends, as the other end is told. */
export type ToldReason = (typeof REASONS)[number];

const ROLES = ['dialler', 'listener'] as const;
const KINDS = ['in-band', 'socks5', 'direct'] as const;
const REASONS = ['done', 'protocol', 'refused', 'unknown-link', 'newer-version', 'busy', 'gone-away'] as const;
const TYPES = ['open', 'data', 'ack', 'resume', 'resumed', 'ping', 'pong', 'close'] as const;
/** Longest payload of each type; OPEN leaves room for what a newer version may add. */
const LIMITS = {
  open: 512,
  data: 8 + MAX_DATA,
  ack: 8,
  resume: RESUME_BYTES,
  resumed: RESUME_BYTES,
  ping: 4,
  pong: 4,
  close: 1,
} as const;

export type FrameType = (typeof TYPES)[number];
export interface OpenFrame {
  readonly type: 'open';
  readonly version: number;
  readonly linkId: LinkId;
}
/** What the MAC of a RESUME or RESUMED covers. */
export interface ResumeFields {
  readonly type: 'resume' | 'resumed';
  readonly linkId: LinkId;
  readonly epoch: number;
  readonly role: PipeRole;
  /** Every byte before this offset has arrived at the sender of the frame. */
  readonly received: number;
  readonly carrier: CarrierName;
}
export interface ResumeFrame extends ResumeFields {
  readonly mac: Uint8Array;
}
export interface DataFrame {
  readonly type: 'data';
  /** Of the first byte. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}
export type Frame =
  | OpenFrame
  | ResumeFrame
  | DataFrame
  | { readonly type: 'ack'; readonly received: number }
  | { readonly type: 'ping' | 'pong'; readonly number: number }
  | { readonly type: 'close'; readonly reason: ToldReason };

/**
 * One frame as bytes.
 * @throws InputFault on a value that does not fit its field
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const parts = encodePayload(frame);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > LIMITS[frame.type]) throw new InputFault('pipe frame', `${frame.type} of ${length} bytes is too long`);
  return concatBytes([Uint8Array.of(TYPES.indexOf(frame.type) + 1), encodeU32(length), ...parts]);
}

/**
 * A DATA frame whose bytes are written by `fill`, straight to where they go out from.
 * @param length 1 to `MAX_DATA`
 */
export function encodeData(offset: number, length: number, fill: (bytes: Uint8Array) => void): Uint8Array {
  if (length > MAX_DATA) throw new InputFault('pipe frame', `data of ${length} bytes is too long`);
  const frame = unsetBytes(DATA_OVERHEAD + length);
  frame[0] = codeOfType('data');
  frame.set(encodeU32(8 + length), 1);
  frame.set(encodeU64(offset), HEADER_BYTES);
  fill(frame.subarray(DATA_OVERHEAD));
  return frame;
}

function encodePayload(frame: Frame): Uint8Array[] {
  switch (frame.type) {
    case 'open':
      return [Uint8Array.of(frame.version), encodeHex(frame.linkId)];
    case 'data':
      return [encodeU64(frame.offset), frame.bytes];
    case 'ack':
      return [encodeU64(frame.received)];
    case 'resume':
    case 'resumed':
      return [encodeResumeFields(frame), frame.mac];
    case 'ping':
    case 'pong':
      return [encodeU32(frame.number)];
    default:
      return [Uint8Array.of(REASONS.indexOf(frame.reason))];
  }
}

/** The fields of RESUME and RESUMED before the MAC. @throws InputFault on a sid that is empty or too long */
export function encodeResumeFields({ linkId, epoch, role, received, carrier }: ResumeFields): Uint8Array {
  const sid = utf8(carrier.sid);
  if (sid.length < 1 || sid.length > MAX_SID) throw new InputFault('carrier sid', `is not 1 to ${MAX_SID} bytes long`);
  const codes = Uint8Array.of(KINDS.indexOf(carrier.kind), sid.length);
  return concatBytes([encodeHex(linkId), encodeU32(epoch), Uint8Array.of(ROLES.indexOf(role)), encodeU64(received), codes, sid]);
}

/** The wire's number of a type, as the MAC covers it. */
export function codeOfType(type: FrameType): number {
  return TYPES.indexOf(type) + 1;
}

/**
 * Type and length of the frame that begins with `header`.
 * @throws InputFault on an unknown type or a length that the type cannot have; as soon as the first byte is there
 */
export function parseHeader(header: Uint8Array): { readonly type: FrameType; readonly length: number } | undefined {
  const [code] = header;
  if (code === undefined) return undefined;
  const type = TYPES[code - 1];
  if (type === undefined) throw new InputFault('pipe frame', `type ${code} is unknown`);
  if (header.length < HEADER_BYTES) return undefined;
  const length = new ByteReader('pipe frame', header.subarray(1)).u32();
  if (length > LIMITS[type]) throw new InputFault('pipe frame', `${type} of ${length} bytes is too long`);
  return { type, length };
}

/** The offset of a DATA frame. @throws InputFault above 2^53 - 1 */
export function parseOffset(bytes: Uint8Array): number {
  return new ByteReader('pipe frame data', bytes).u64();
}

/** @throws InputFault on anything but the table above */
export function parsePayload(type: FrameType, payload: Uint8Array): Frame {
  const reader = new ByteReader(`pipe frame ${type}`, payload);
  const frame = parseFields(type, reader);
  // A newer version may say more in its OPEN; it is told that it is newer, not that it is broken.
  if (frame.type !== 'open' || frame.version <= PIPE_VERSION) reader.end();
  return frame;
}

function parseFields(type: FrameType, reader: ByteReader): Frame {
  switch (type) {
    case 'open':
      return { type, version: reader.u8(), linkId: parseLinkId(reader.hex(16)) };
    case 'data':
      return { type, offset: reader.u64(), bytes: reader.rest(1) };
    case 'ack':
      return { type, received: reader.u64() };
    case 'resume':
    case 'resumed':
      return parseResume(type, reader);
    case 'ping':
    case 'pong':
      return { type, number: reader.u32() };
    default:
      return { type, reason: reader.oneOf(REASONS) };
  }
}

function parseResume(type: 'resume' | 'resumed', reader: ByteReader): ResumeFrame {
  const [linkId, epoch, role, received] = [parseLinkId(reader.hex(16)), reader.u32(), reader.oneOf(ROLES), reader.u64()];
  const carrier = { kind: reader.oneOf(KINDS), sid: reader.text(MAX_SID) };
  return { type, linkId, epoch, role, received, carrier, mac: reader.bytes(MAC_BYTES) };
}

/** @throws InputFault on anything but 32 lower-case hex digits */
export function parseLinkId(text: string): LinkId {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new InputFault('link id', 'is not 32 hex digits');
  return text as LinkId;
}
