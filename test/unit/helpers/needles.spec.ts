// The search that others rely on finds what it is made to find.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foundIn } from '../../helpers/needles.ts';

const SECRET = 'correct horse/battery+staple';
const bytes = Buffer.from(SECRET);

describe('foundIn', () => {
  it.each([
    ['as it is', `x${SECRET}y`],
    ['in hex', `x${bytes.toString('hex')}y`],
    ['in capital hex', bytes.toString('hex').toUpperCase()],
    ['URL-encoded', encodeURIComponent(SECRET)],
  ])('finds a secret %s', (_how, text) => {
    expect(foundIn(text, { it: SECRET, other: 'something else' })).toEqual(['it']);
  });

  it('finds any secret in base64 of both alphabets, wherever it begins and whatever is around it', () => {
    const part = (minLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength: 40 });
    fc.assert(
      fc.property(part(0), part(6), part(0), fc.constantFrom('base64' as const, 'base64url' as const), (before, secret, behind, form) => {
        expect(foundIn(Buffer.concat([before, secret, behind]).toString(form), { secret })).toEqual(['secret']);
      }),
    );
  });

  it('finds nothing where there is nothing, and searches for nothing that chance would bring', () => {
    expect(foundIn('correct horse/battery+stable', { it: SECRET })).toEqual([]);
    expect(() => foundIn('', { it: 'short' })).toThrow('by chance');
  });
});
