import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../../src/lib/base64.ts';
import { InputFault } from '../../../src/lib/errors.ts';

describe('encodeBase64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes %j as RFC 4648 §10 does', (text, encoded) => {
    expect(encodeBase64(Buffer.from(text))).toBe(encoded);
    expect(Buffer.from(decodeBase64(encoded)).toString()).toBe(text);
  });
});

describe('decodeBase64', () => {
  it.each(['Zg', 'Zg=', 'Zm9v=', 'Zm9\nv', ' Zm9v', 'Zm9v\n', 'Zm-_', 'Z===', '=', '====', 'Zm9vZ'])('refuses %j', (text) => {
    expect(() => decodeBase64(text)).toThrow(InputFault);
  });

  it('refuses bits behind the last byte, so that one byte string has one text', () => {
    expect(() => decodeBase64('Zh==')).toThrow(InputFault);
    expect(() => decodeBase64('Zm9=')).toThrow(InputFault);
  });

  it('refuses by its length what is too long, and looks no further', () => {
    expect(() => decodeBase64('!'.repeat(100), 3)).toThrow(/holds more than 3 bytes/);
  });

  it('takes exactly as much as it was told', () => {
    for (const length of [30, 31, 32]) {
      const text = encodeBase64(new Uint8Array(length));
      expect(decodeBase64(text, length)).toHaveLength(length);
      expect(() => decodeBase64(text, length - 1)).toThrow(/holds more than/);
    }
  });
});
