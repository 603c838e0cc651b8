// Cuts what arrives on a carrier into frames. Rule: never holds more than one unfinished frame, and refuses it at its header; the bytes of a
// DATA frame are handed on as they come, uncopied, each part with its own offset.

import { ByteQueue } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { HEADER_BYTES, OFFSET_BYTES, parseHeader, parseOffset, parsePayload } from './frame-format.ts';
import type { DataFrame, Frame, OpenFrame, ResumeFrame } from './frame-format.ts';

/** Frames out of pieces of any size. */
export class FrameDecoder {
  readonly #queue = new ByteQueue();
  /** What is still to come of a DATA frame. */
  #data: { readonly offset: number; readonly left: number } | undefined;

  /** Takes the next bytes of the carrier. They are kept, not copied, and must not change. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next complete frame, or the next part of a DATA frame; undefined when more bytes are needed.
   * @throws InputFault on what is no frame
   */
  next(): Frame | undefined {
    if (this.#data !== undefined) return this.#nextPart(this.#data);
    const header = parseHeader(this.#queue.peek(HEADER_BYTES));
    if (header === undefined) return undefined;
    const isData = header.type === 'data' && header.length > OFFSET_BYTES;
    if (this.#queue.length < HEADER_BYTES + (isData ? OFFSET_BYTES : header.length)) return undefined;
    this.#queue.drop(HEADER_BYTES);
    if (!isData) return parsePayload(header.type, this.#queue.take(header.length));
    this.#data = { offset: parseOffset(this.#queue.take(OFFSET_BYTES)), left: header.length - OFFSET_BYTES };
    return this.#nextPart(this.#data);
  }

  #nextPart({ offset, left }: { readonly offset: number; readonly left: number }): DataFrame | undefined {
    const bytes = this.#queue.takePart(left);
    if (bytes.length === 0) return undefined;
    const rest = { offset: offset + bytes.length, left: left - bytes.length };
    this.#data = rest.left === 0 ? undefined : rest;
    return { type: 'data', offset, bytes };
  }
}

/** The frame that says which pipe a new carrier belongs to, and the bytes after it. */
export interface FirstFrame {
  readonly frame: OpenFrame | ResumeFrame;
  readonly rest: Uint8Array;
}

/**
 * Reads the first frame on a carrier that somebody else opened.
 * @param bytes all that has come in so far
 * @returns undefined when more bytes are needed; never with 1 KiB or more at hand
 * @throws InputFault on anything but an OPEN or a RESUME
 */
export function readFirstFrame(bytes: Uint8Array): FirstFrame | undefined {
  const header = parseHeader(bytes.subarray(0, HEADER_BYTES));
  if (header === undefined) return undefined;
  if (header.type !== 'open' && header.type !== 'resume') throw new InputFault('carrier', 'does not begin with OPEN or RESUME');
  const end = HEADER_BYTES + header.length;
  if (bytes.length < end) return undefined;
  return { frame: parseFirst(header.type, bytes.subarray(HEADER_BYTES, end)), rest: bytes.subarray(end) };
}

function parseFirst(type: 'open' | 'resume', payload: Uint8Array): OpenFrame | ResumeFrame {
  return parsePayload(type, payload) as OpenFrame | ResumeFrame;
}
