import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/lib/bytes.ts';
import { StreamText } from '../../src/xmpp/stream-text.ts';

describe('StreamText', () => {
  it('gives the same text however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 12 }),
        (words, cuts) => {
          const bytes = utf8(`${words.join('>')}<end/>`);
          const text = new StreamText();
          let given = '';
          let at = 0;
          for (const length of cuts) {
            given += text.receive(bytes.subarray(at, at + length));
            at += length;
          }
          given += text.receive(bytes.subarray(at));
          expect(given).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
        },
      ),
      { numRuns: 500 },
    );
  });
});
