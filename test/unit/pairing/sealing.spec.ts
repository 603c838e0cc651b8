import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { SEAL_BYTES, sealOnce, unseal } from '../../../src/pairing/sealing.ts';

const KEY = new Uint8Array(32).fill(1);
const TEXT = utf8('a device card');

describe('sealOnce', () => {
  it('adds 16 bytes and shows nothing of the text', () => {
    const sealed = sealOnce(KEY, TEXT);
    expect(sealed).toHaveLength(TEXT.length + SEAL_BYTES);
    expect(Buffer.from(sealed).includes('card')).toBe(false);
  });
});

describe('unseal', () => {
  it('opens what was sealed under the same key', () => {
    expect(Buffer.from(unseal(KEY, sealOnce(KEY, TEXT))).toString()).toBe('a device card');
  });

  it.each([
    ['another key', new Uint8Array(32).fill(2), sealOnce(KEY, TEXT)],
    ['a byte cut off', KEY, sealOnce(KEY, TEXT).subarray(0, -1)],
    ['a byte too many', KEY, Uint8Array.of(...sealOnce(KEY, TEXT), 0)],
    ['fewer bytes than a seal', KEY, new Uint8Array(15)],
    ['nothing', KEY, new Uint8Array(0)],
  ])('refuses %s', (_name, key, sealed) => {
    expect(() => unseal(key, sealed)).toThrow(expect.objectContaining({ code: 'bad-code' }));
  });
});
