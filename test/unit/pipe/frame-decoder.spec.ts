// Frames out of cut bytes; the first frame of a carrier.

import { describe, expect, it } from 'vitest';
import { FrameDecoder, readFirstFrame } from '../../../src/pipe/frame-decoder.ts';
import { encodeFrame, parseLinkId } from '../../../src/pipe/frame-format.ts';

const linkId = parseLinkId('000102030405060708090a0b0c0d0e0f');

describe('FrameDecoder', () => {
  it('gives a frame as soon as its last byte is there, and not before', () => {
    const bytes = encodeFrame({ type: 'ping', number: 5 });
    const decoder = new FrameDecoder();
    decoder.push(bytes.subarray(0, -1));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes.subarray(-1));
    expect(decoder.next()).toEqual({ type: 'ping', number: 5 });
    expect(decoder.next()).toBeUndefined();
  });

  it('hands on the bytes of a DATA frame as they come, each part with its own offset', () => {
    const bytes = encodeFrame({ type: 'data', offset: 2 ** 32 - 1, bytes: Uint8Array.of(1, 2, 3) });
    const decoder = new FrameDecoder();
    decoder.push(bytes.subarray(0, 13));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes.subarray(13, 14));
    expect(decoder.next()).toEqual({ type: 'data', offset: 2 ** 32 - 1, bytes: Uint8Array.of(1) });
    expect(decoder.next()).toBeUndefined();
    decoder.push(Uint8Array.from([...bytes.subarray(14), ...encodeFrame({ type: 'ping', number: 5 })]));
    expect(decoder.next()).toEqual({ type: 'data', offset: 2 ** 32, bytes: Uint8Array.of(2, 3) });
    expect(decoder.next()).toEqual({ type: 'ping', number: 5 });
  });

  it('refuses a DATA frame without a byte', () => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.of(2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(() => decoder.next()).toThrow('cut short');
  });

  it('gives the good frames before a bad one', () => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.from([...encodeFrame({ type: 'ack', received: 1 }), 99]));
    expect(decoder.next()).toEqual({ type: 'ack', received: 1 });
    expect(() => decoder.next()).toThrow('type 99 is unknown');
  });
});

describe('readFirstFrame', () => {
  const open = encodeFrame({ type: 'open', version: 1, linkId });

  it('needs more until the frame is whole', () => {
    for (let length = 0; length < open.length; length += 1) expect(readFirstFrame(open.subarray(0, length))).toBeUndefined();
  });

  it('gives the frame and what comes behind it', () => {
    const read = readFirstFrame(Uint8Array.from([...open, 2, 0]));
    expect(read).toEqual({ frame: { type: 'open', version: 1, linkId }, rest: Uint8Array.of(2, 0) });
  });

  it('refuses a frame that opens nothing at its header, however long it says it is', () => {
    expect(() => readFirstFrame(Uint8Array.of(2, 0, 1, 0, 0))).toThrow('does not begin with OPEN or RESUME');
    expect(() => readFirstFrame(Uint8Array.of(5, 0, 0, 0, 70))).toThrow('does not begin with OPEN or RESUME');
  });
});
