// What a device may be called.

import { describe, expect, it } from 'vitest';
import { parseDeviceName } from '../../../src/home/device-name-format.ts';

describe('parseDeviceName', () => {
  it.each([
    ['laptop', 'laptop'],
    ['  Anna\'s laptop ', 'Anna\'s laptop'],
    ['Ku\u0308che', 'K\u00fcche'],
    ['👩‍🚀', '👩‍🚀'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('takes "%s"', (text, name) => {
    expect(parseDeviceName(text)).toBe(name);
  });

  it.each(['', ' ', 'a\nb', 'a\u0000', '\u001b[2J', 'a\u202Eb', 'a\u2028b', '\uD800', 'x'.repeat(65)])('refuses %j', (text) => {
    expect(() => parseDeviceName(text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
