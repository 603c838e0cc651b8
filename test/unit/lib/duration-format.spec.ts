import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/lib/duration-format.ts';

const DAY = 86_400_000;
const parse = (text: string): number => parseDuration('xmpp.giveUp', text, { min: 10_000, max: 7 * DAY });

describe('parseDuration', () => {
  it.each([['10s', 10_000], ['90s', 90_000], ['30m', 1_800_000], ['2h', 7_200_000], ['7d', 7 * DAY], ['168h', 7 * DAY]] as const)('reads %s as %d ms', (text, ms) => {
    expect(parse(text)).toBe(ms);
  });

  it.each(['', '2', 'h', '2 h', ' 2h', '2h ', '2h\n', '1h30m', '1.5h', '-1h', '+1h', '1e3s', '02h', '2H', '2w', '٢h', '9999999999s', 'forever'])('refuses %j by name, and shows what is right', (text) => {
    expect(() => parse(text)).toThrow('xmpp.giveUp: is no duration, such as 90s, 30m or 2h');
  });

  it.each(['0s', '9s', '0h', '8d', '604801s', '999999999d'])('refuses %s, which is out of bounds, and names the bounds', (text) => {
    expect(() => parse(text)).toThrow('xmpp.giveUp: is not between 10s and 7d');
  });
});

describe('formatDuration', () => {
  it.each([[0, '0s'], [1, '1s'], [1_500, '2s'], [60_000, '1m'], [61_000, '61s'], [3_600_000, '1h'], [5_400_000, '90m'], [7 * DAY, '7d']] as const)('tells %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
