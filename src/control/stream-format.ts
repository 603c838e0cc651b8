// What the agent sends a shim on one git stream: stdout, stderr and the exit code, side by side. Shim to agent is raw bytes.
// Frame: channel u8 · length u32 big-endian · payload. Rule: a payload is at most 64 KiB, and nothing follows the exit frame.

import { ByteQueue, unsetBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';

export const STDOUT = 1;
export const STDERR = 2;
/** Carries one byte, the service's exit code, and is the last frame. */
export const EXIT = 3;

/** The one byte that a shim which named its pipe sends before all others: from then on the agent may write there. */
export const GO = 1;

export type Channel = typeof STDOUT | typeof STDERR | typeof EXIT;

export interface Frame {
  readonly channel: Channel;
  readonly payload: Uint8Array;
}

/** Longest payload of one frame, in bytes. */
export const MAX_PAYLOAD = 64 * 1024;

/** What stands before a payload. */
export const HEADER_BYTES = 5;

/**
 * One frame.
 * @throws InputFault when `bytes` are more than `MAX_PAYLOAD`, or no single byte on the exit channel
 */
export function encodeFrame(channel: Channel, bytes: Uint8Array): Uint8Array {
  const frame = unsetBytes(HEADER_BYTES + bytes.length);
  frame.set(bytes, HEADER_BYTES);
  writeHeader(frame, channel);
  return frame;
}

/** Makes a frame of `frame`, whose payload stands behind `HEADER_BYTES` that are free. @throws InputFault as `encodeFrame` */
export function writeHeader(frame: Uint8Array, channel: Channel): void {
  const length = frame.length - HEADER_BYTES;
  checkLength(channel, length);
  frame[0] = channel;
  new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES).setUint32(1, length);
}

/** As many frames as `bytes` of any length need; none for no bytes. */
export function encodeFrames(channel: typeof STDOUT | typeof STDERR, bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / MAX_PAYLOAD);
  return Array.from({ length: count }, (_none, index) =>
    encodeFrame(channel, bytes.subarray(index * MAX_PAYLOAD, (index + 1) * MAX_PAYLOAD)),
  );
}

/** The last frame. @param code 0 to 255; anything else is told as 255, so that a failure never looks like success */
export function encodeExit(code: number): Uint8Array {
  return encodeFrame(EXIT, Uint8Array.of(Number.isInteger(code) && code >= 0 && code <= 255 ? code : 255));
}

/** Cuts what arrives, in pieces of any size, into frames. A payload that comes in pieces is handed on in pieces, uncopied, each as a frame. */
export class FrameDecoder {
  readonly #queue = new ByteQueue();
  /** What is still to come of a frame. */
  #rest: { readonly channel: Channel; readonly left: number } | undefined;
  #hasEnded = false;

  /**
   * The frames, or parts of frames, that `bytes` hold.
   * @throws InputFault on an unknown channel, a wrong length, or bytes after the exit frame
   */
  receive(bytes: Uint8Array): Frame[] {
    this.#queue.push(bytes);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#queue.length === 0) return undefined;
    if (this.#hasEnded) throw new InputFault('stream', 'goes on after the exit frame');
    if (this.#rest !== undefined) return this.#nextPart(this.#rest);
    const header = this.#queue.peek(HEADER_BYTES);
    const channel = parseChannel(header[0]);
    if (header.length < HEADER_BYTES) return undefined;
    const length = new DataView(header.buffer, header.byteOffset, HEADER_BYTES).getUint32(1);
    checkLength(channel, length);
    this.#queue.drop(HEADER_BYTES);
    return length === 0 ? this.#next() : this.#nextPart({ channel, left: length });
  }

  #nextPart({ channel, left }: { readonly channel: Channel; readonly left: number }): Frame | undefined {
    const payload = this.#queue.takePart(left);
    this.#rest = payload.length === left ? undefined : { channel, left: left - payload.length };
    this.#hasEnded = channel === EXIT && this.#rest === undefined;
    return payload.length === 0 ? undefined : { channel, payload };
  }
}

function parseChannel(byte: number | undefined): Channel {
  if (byte === STDOUT || byte === STDERR || byte === EXIT) return byte;
  throw new InputFault('stream', `channel ${String(byte)} is unknown`);
}

function checkLength(channel: Channel, length: number): void {
  if (length > MAX_PAYLOAD) throw new InputFault('stream', `a frame of ${length} bytes is longer than ${MAX_PAYLOAD}`);
  if (channel === EXIT && length !== 1) throw new InputFault('stream', `an exit frame holds one byte, not ${length}`);
}
