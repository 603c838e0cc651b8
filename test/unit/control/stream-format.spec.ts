import { describe, expect, it } from 'vitest';
import {
  encodeExit,
  encodeFrame,
  encodeFrames,
  EXIT,
  FrameDecoder,
  HEADER_BYTES,
  MAX_PAYLOAD,
  STDERR,
  STDOUT,
  writeHeader,
} from '../../../src/control/stream-format.ts';
import { concatBytes, utf8 } from '../../../src/lib/bytes.ts';

describe('encodeFrame', () => {
  it('writes the channel, the length in four big-endian bytes, then the payload', () => {
    expect([...encodeFrame(STDERR, utf8('hi'))]).toEqual([2, 0, 0, 0, 2, 104, 105]);
  });

  it('refuses more than 64 KiB and an exit code that is not one byte', () => {
    expect(() => encodeFrame(STDOUT, new Uint8Array(MAX_PAYLOAD + 1))).toThrow(/longer than 65536/);
    expect(() => encodeFrame(EXIT, utf8('no'))).toThrow(/one byte/);
  });
});

describe('writeHeader', () => {
  it('makes a frame of what stands behind the room for it', () => {
    const frame = new Uint8Array([9, 9, 9, 9, 9, 104, 105]);
    writeHeader(frame, STDOUT);
    expect(frame).toEqual(encodeFrame(STDOUT, utf8('hi')));
  });

  it('refuses more than a frame may hold', () => {
    expect(() => writeHeader(new Uint8Array(HEADER_BYTES + MAX_PAYLOAD + 1), STDOUT)).toThrow(/longer than 65536/);
  });
});

describe('encodeFrames', () => {
  it('cuts what is too long for one frame and sends nothing for nothing', () => {
    expect(encodeFrames(STDOUT, new Uint8Array(MAX_PAYLOAD * 2 + 1)).map((frame) => frame.length)).toEqual([65541, 65541, 6]);
    expect(encodeFrames(STDOUT, new Uint8Array())).toEqual([]);
  });
});

describe('encodeExit', () => {
  it('never makes a failure look like success', () => {
    const codes = [0, 1, 128, 255, 256, -1, Number.NaN].map((code) => encodeExit(code)[5]);
    expect(codes).toEqual([0, 1, 128, 255, 255, 255, 255]);
  });
});

describe('FrameDecoder', () => {
  it('gives the frames of both channels in the order in which they came', () => {
    const bytes = concatBytes([encodeFrame(STDOUT, utf8('a')), encodeFrame(STDERR, utf8('b')), encodeExit(7)]);
    const frames = new FrameDecoder().receive(bytes);
    expect(frames.map(({ channel, payload }) => [channel, ...payload])).toEqual([[1, 97], [2, 98], [3, 7]]);
  });

  it('hands on a payload that comes in parts part by part, as it came', () => {
    const decoder = new FrameDecoder();
    const parts = [encodeFrame(STDOUT, utf8('abc')).subarray(0, 6), utf8(''), utf8('bc')].flatMap((part) => decoder.receive(part));
    expect(parts.map(({ channel, payload }) => [channel, Buffer.from(payload).toString()])).toEqual([[STDOUT, 'a'], [STDOUT, 'bc']]);
  });

  it('passes over a frame of nothing', () => {
    expect(new FrameDecoder().receive(concatBytes([encodeFrame(STDOUT, utf8('')), encodeExit(0)])).map(({ channel }) => channel)).toEqual([EXIT]);
  });

  it('refuses an unknown channel at its first byte', () => {
    expect(() => new FrameDecoder().receive(Uint8Array.of(4))).toThrow(/channel 4/);
  });

  it('refuses a length beyond 64 KiB before a byte of it is held', () => {
    expect(() => new FrameDecoder().receive(Uint8Array.of(1, 0, 1, 0, 1))).toThrow(/65537/);
  });

  it('refuses an exit frame of no or several bytes', () => {
    expect(() => new FrameDecoder().receive(Uint8Array.of(3, 0, 0, 0, 0))).toThrow(/one byte/);
    expect(() => new FrameDecoder().receive(Uint8Array.of(3, 0, 0, 0, 2))).toThrow(/one byte/);
  });

  it('refuses anything after the exit frame', () => {
    const decoder = new FrameDecoder();
    decoder.receive(encodeExit(0));
    expect(() => decoder.receive(encodeFrame(STDOUT, utf8('late')))).toThrow(/after the exit frame/);
  });
});
