import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeExit, encodeFrames, EXIT, FrameDecoder, STDERR, STDOUT, type Frame } from '../../src/control/stream-format.ts';
import { concatBytes } from '../../src/lib/bytes.ts';
import { InputFault } from '../../src/lib/errors.ts';

const output = fc.record({
  channel: fc.constantFrom<typeof STDOUT | typeof STDERR>(STDOUT, STDERR),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Each byte with its channel: a payload may come out in parts. */
function bytesOf(frame: { readonly channel: number; readonly payload?: Uint8Array; readonly bytes?: Iterable<number> }): (readonly [number, number])[] {
  return [...(frame.payload ?? frame.bytes ?? [])].map((byte) => [frame.channel, byte] as const);
}

describe('FrameDecoder', () => {
  it('gives back what was encoded, wherever the bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(output, { maxLength: 12 }), fc.integer({ min: 0, max: 255 }), cuts, (outputs, code, sizes) => {
        const wire = concatBytes([...outputs.flatMap(({ channel, bytes }) => encodeFrames(channel, bytes)), encodeExit(code)]);
        const decoder = new FrameDecoder();
        const frames: Frame[] = cut(wire, sizes).flatMap((piece) => decoder.receive(piece));
        expect(frames.flatMap(bytesOf)).toEqual([...outputs, { channel: EXIT, bytes: [code] }].flatMap(bytesOf));
      }),
      { numRuns: 300 },
    );
  });

  it('answers any bytes with frames or an InputFault', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (pieces) => {
        const decoder = new FrameDecoder();
        try {
          for (const piece of pieces) for (const { channel } of decoder.receive(piece)) expect([1, 2, 3]).toContain(channel);
        } catch (error) {
          expect(error).toBeInstanceOf(InputFault);
        }
      }),
      { numRuns: 500 },
    );
  });
});
