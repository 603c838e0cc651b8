import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLine, LineDecoder } from '../../src/control/lines-format.ts';
import { concatBytes } from '../../src/lib/bytes.ts';
import { InputFault } from '../../src/lib/errors.ts';

describe('LineDecoder', () => {
  it('gives back the values that were encoded, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.integer({ min: 1, max: 17 }), (values, size) => {
        const wire = concatBytes(values.map((value) => encodeLine(value)));
        const decoder = new LineDecoder();
        const back: unknown[] = [];
        for (let at = 0; at < wire.length; at += size) back.push(...decoder.receive(wire.subarray(at, at + size)));
        expect(JSON.stringify(back)).toEqual(JSON.stringify(values));
        expect(decoder.isInLine).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('answers any bytes with values or an InputFault', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(0x0a, 0x22, 0x31), fc.nat(255)), { maxLength: 60 }), (bytes) => {
        try {
          new LineDecoder().receive(Uint8Array.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(InputFault);
        }
      }),
      { numRuns: 500 },
    );
  });
});
