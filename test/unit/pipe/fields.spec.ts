// Fields at their edges.

import { describe, expect, it } from 'vitest';
import { ByteReader, encodeHex, encodeU32, encodeU64 } from '../../../src/pipe/fields.ts';

describe('encodeU64', () => {
  it('is big-endian beyond 2^32', () => {
    expect([...encodeU64(2 ** 32 + 258)]).toEqual([0, 0, 0, 1, 0, 0, 1, 2]);
    expect([...encodeU64(Number.MAX_SAFE_INTEGER)]).toEqual([0, 0x1f, 255, 255, 255, 255, 255, 255]);
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %s', (value) => {
    expect(() => encodeU64(value)).toThrow('does not fit');
  });
});

describe('encodeU32', () => {
  it.each([-1, 1.5, 2 ** 32])('refuses %s', (value) => {
    expect(() => encodeU32(value)).toThrow('does not fit');
  });
});

describe('encodeHex', () => {
  it('is the bytes of the digits', () => {
    expect([...encodeHex('00ff10')]).toEqual([0, 255, 16]);
  });
});

describe('ByteReader', () => {
  const read = (...bytes: number[]): ByteReader => new ByteReader('thing', Uint8Array.from(bytes));

  it('reads an offset up to 2^53 - 1 and refuses one above', () => {
    expect(read(0, 0x1f, 255, 255, 255, 255, 255, 255).u64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => read(0, 0x20, 0, 0, 0, 0, 0, 0).u64()).toThrow('thing: has an offset above 2^53');
  });

  it('names what is cut short', () => {
    expect(() => read(1, 2, 3).u32()).toThrow('thing: is cut short');
    expect(() => read().rest(1)).toThrow('thing: is cut short');
  });

  it('refuses bytes that are left', () => {
    const reader = read(1, 2);
    reader.u8();
    expect(() => reader.end()).toThrow('thing: is too long');
  });

  it('refuses a code that stands for nothing', () => {
    expect(read(1).oneOf(['a', 'b'])).toBe('b');
    expect(() => read(2).oneOf(['a', 'b'])).toThrow('unknown code 2');
  });

  it('refuses a text that is empty, too long, cut short or no UTF-8', () => {
    expect(read(2, 0xc3, 0xa4).text(2)).toBe('ä');
    expect(() => read(0).text(2)).toThrow('not 1 to 2 bytes');
    expect(() => read(3, 65, 65, 65).text(2)).toThrow('not 1 to 2 bytes');
    expect(() => read(2, 65).text(2)).toThrow('cut short');
    expect(() => read(2, 0xc3, 0x28).text(2)).toThrow('no UTF-8');
  });
});
