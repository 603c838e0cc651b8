// Words of others as a terminal may have them.

import { expect, it } from 'vitest';
import { clean, cleanLines } from '../../../src/lib/steering.ts';

it.each(['\u001b[2J', '\u0007', '\u009b31m', '\u2028', '\u202e', '\u2066'])('%j is masked on one line and on several', (sign) => {
  const masked = `a?${sign.slice(1)}b`;
  expect(clean(`a${sign}b`)).toBe(masked);
  expect(cleanLines(`a${sign}b`)).toBe(masked);
});

it('tabs and ends of lines are masked on one line, and stay on several', () => {
  expect(clean('a\tb\r\nc\nd')).toBe('a?b??c?d');
  expect(cleanLines('a\tb\r\nc\rd\n')).toBe('a\tb\nc\nd\n');
});
