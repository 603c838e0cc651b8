// The elements and error conditions of In-Band Bytestreams (XEP-0047 2.0.1 §2, §5, §8).
// Rule: an attribute or a character that the text does not allow is refused, never guessed at.

import { Element } from 'ltx';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { InputFault } from '../lib/errors.ts';
import { NS_IBB } from '../xmpp/namespaces.ts';

/** Bytes of a block before base64 that XEP-0047 §5 recommends; its stanza stays under the 10 000 bytes every server takes. */
export const DEFAULT_BLOCK_SIZE = 4096;
/** Bytes of a block before base64 at most: `block-size` is an unsigned short (XEP-0047 §2.1). */
export const MAX_BLOCK_SIZE = 65_535;
/** Under this the stanza around a block outweighs the block, so no stream is opened or accepted with less. */
export const MIN_BLOCK_SIZE = 256;
/** `seq` counts from 0 and begins again after 65 535 (XEP-0047 §2.2). */
export const SEQUENCE_MODULUS = 65_536;

const MAX_SID_LENGTH = 128;
const NMTOKEN = /^[\p{L}\p{N}\p{M}._:-]+$/u;

/** Why a request is answered with an error: the stanza error of RFC 6120 §8.3 and words for the log. */
export interface Refusal {
  readonly type: 'cancel' | 'modify' | 'wait';
  readonly condition: 'bad-request' | 'item-not-found' | 'not-acceptable' | 'resource-constraint' | 'unexpected-request';
  readonly why: string;
}

/** The answers of XEP-0047, each with the error type its text gives. */
export const REFUSALS = {
  unknownStream: { type: 'cancel', condition: 'item-not-found', why: 'no such stream' },
  outOfOrder: { type: 'cancel', condition: 'unexpected-request', why: 'the sequence number is not the next one' },
  unwelcome: { type: 'cancel', condition: 'not-acceptable', why: 'no stream is wanted' },
  blocksTooLarge: { type: 'modify', condition: 'resource-constraint', why: 'smaller blocks are wanted' },
  tooMuch: { type: 'wait', condition: 'resource-constraint', why: 'too much waits already' },
} satisfies Record<string, Refusal>;

/** What `<open/>` asks for. */
export interface OpenRequest {
  readonly sid: string;
  /** Largest block in bytes before base64, in both directions. */
  readonly blockSize: number;
  readonly stanza: 'iq' | 'message';
}

/** One block of data. */
export interface DataBlock {
  /** 0 to 65 535. */
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** `<open/>` for a stream of IQ stanzas. */
export function formatOpen(sid: string, blockSize: number): Element {
  return new Element('open', { xmlns: NS_IBB, sid, 'block-size': String(blockSize), stanza: 'iq' });
}

/** `<data/>` with its block in base64. */
export function formatData(sid: string, block: DataBlock): Element {
  return new Element('data', { xmlns: NS_IBB, sid, seq: String(block.seq) }).t(encodeBase64(block.bytes));
}

/** `<close/>`. */
export function formatClose(sid: string): Element {
  return new Element('close', { xmlns: NS_IBB, sid });
}

/** @throws InputFault when `<open/>` lacks what it must have, or asks for a block size outside 256 to 65 535 */
export function parseOpen(element: Element): OpenRequest {
  const blockSize = parseUnsignedShort(element, 'block-size');
  if (blockSize < MIN_BLOCK_SIZE) throw new InputFault('block-size', `is under ${MIN_BLOCK_SIZE}`);
  const stanza: unknown = element.attrs['stanza'] ?? 'iq';
  if (stanza !== 'iq' && stanza !== 'message') throw new InputFault('stanza', 'is neither iq nor message');
  return { sid: parseSid(element), blockSize, stanza };
}

/** The stream that an element speaks of. @throws InputFault when its `sid` is no NMTOKEN of at most 128 characters */
export function parseSid(element: Element): string {
  const sid: unknown = element.attrs['sid'];
  if (typeof sid !== 'string' || sid.length > MAX_SID_LENGTH || !NMTOKEN.test(sid)) {
    throw new InputFault('sid', `is no NMTOKEN of at most ${MAX_SID_LENGTH} characters`);
  }
  return sid;
}

/**
 * The block in `<data/>`.
 * @param blockSize bytes before base64 that the stream allows
 * @throws InputFault on a bad `seq`, anything but strict base64 (white space too), or a block that is too large
 */
export function parseData(element: Element, blockSize: number): DataBlock {
  const seq = parseUnsignedShort(element, 'seq');
  if (element.children.some((child) => typeof child !== 'string')) throw new InputFault('data', 'holds an element');
  return { seq, bytes: decodeBase64(element.getText(), blockSize) };
}

function parseUnsignedShort(element: Element, name: string): number {
  const text: unknown = element.attrs[name];
  if (typeof text !== 'string' || !/^(?:0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65_535) {
    throw new InputFault(name, 'is not a number from 0 to 65535');
  }
  return Number(text);
}
