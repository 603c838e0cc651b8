// What a peer's git says on its way to git and to a terminal (gitprotocol-pack(5), "side-band").

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SideBandWords } from '../../src/git/side-band-machine.ts';
import { formatStderr, parseStderr } from '../../src/link/http-format.ts';
import { concatBytes } from '../../src/lib/bytes.ts';
import { band } from '../helpers/hostile-server.ts';

const words = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.array(fc.constantFrom(0x1b, 0x5d, 0x07, 0xc2, 0x9b, 0x0d, 0x41), { maxLength: 20 }).map((bytes) => Uint8Array.from(bytes)));
const bands = fc.array(fc.tuple(fc.constantFrom(1, 2, 3), words), { maxLength: 8 });
/** A control character in UTF-8, but for tabs and ends of lines; one byte, or two. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const STEERS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]/;

function cleaned(bytes: Uint8Array, size = Math.max(1, bytes.length)): Uint8Array {
  const machine = new SideBandWords();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(Uint8Array.from(machine.clean(bytes.subarray(at, at + size))));
  return concatBytes(parts);
}

describe('SideBandWords', () => {
  it('leaves nothing that steers a terminal in the words, every byte of the pack as it was, and each in its place, wherever it is cut', () => {
    fc.assert(
      fc.property(bands, fc.integer({ min: 1, max: 17 }), (said, size) => {
        const wire = concatBytes(said.map(([number, bytes]) => band(number, bytes)));
        const out = cleaned(wire, size);
        expect(out).toEqual(cleaned(wire));
        expect(out).toHaveLength(wire.length);
        let at = 0;
        let shown = '';
        for (const [number, { length }] of said) {
          const [before, after] = [wire.subarray(at, at + 5 + length), out.subarray(at, at + 5 + length)];
          if (number === 1) expect(Buffer.from(after).equals(before)).toBe(true);
          else shown += Buffer.from(after.subarray(5)).toString('latin1');
          at += before.length;
        }
        expect(shown).not.toMatch(STEERS);
        expect(cleaned(out)).toEqual(out);
      }),
      { numRuns: 500 },
    );
  });

  it('changes the length of nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 17 }), (bytes, size) => {
        expect(cleaned(bytes, size)).toHaveLength(bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseStderr', () => {
  it('leaves nothing that steers a terminal in the last words of a peer’s git', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(parseStderr(formatStderr(text))).not.toMatch(/(?![\t\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: 500 },
    );
  });
});
