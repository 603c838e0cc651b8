import { describe, expect, it } from 'vitest';
import { count, formatBytes, formatLeft, formatShare, formatTime, table } from '../../../src/cli/text-format.ts';

describe('formatBytes', () => {
  it('is short, in thousands', () => {
    const amounts = [0, 812, 999, 1000, 1400, 9949, 9960, 12_400, 999_400, 999_600, 26_400_000, 5e9, 7e12];
    expect(amounts.map(formatBytes)).toEqual(['0 B', '812 B', '999 B', '1.0 kB', '1.4 kB', '9.9 kB', '10 kB', '12 kB', '999 kB', '1.0 MB', '26 MB', '5.0 GB', '7.0 TB']);
  });
});

describe('formatShare', () => {
  it('tells both amounts in the unit of the whole', () => {
    expect([formatShare(12_000_000, 26_400_000), formatShare(5, 90), formatShare(100, 2_000_000_000)]).toEqual(['12.0 of 26.4 MB', '5 of 90 B', '0.0 of 2.0 GB']);
  });
});

describe('formatLeft', () => {
  it('is as exact as a person wants to know', () => {
    const seconds = [0, 0.2, 12, 99, 130, 599, 3500, 3900, 86_400, 86_400 * 3];
    expect(seconds.map((each) => formatLeft(each * 1000))).toEqual(['1 s', '1 s', '12 s', '99 s', '2 min 10 s', '10 min', '59 min', '1 h 5 min', '24 h 0 min', '3 d']);
  });
});

describe('formatTime', () => {
  it('tells the day where it is another', () => {
    const now = new Date(2024, 4, 2, 14, 30).getTime();
    expect(formatTime(new Date(2024, 4, 2, 9, 5).getTime(), now)).toBe('09:05');
    expect(formatTime(new Date(2024, 3, 30, 9, 5).getTime(), now)).toBe('2024-04-30 09:05');
  });
});

describe('table', () => {
  it('puts rows in columns, and lets no cell steer the terminal', () => {
    expect(table([['a', 'bb', 'c'], ['aaa', '', 'd\u001b']])).toEqual(['a    bb  c', 'aaa      d?']);
  });
});

describe('count', () => {
  it('knows one from many', () => {
    expect([count(1, 'commit'), count(3, 'commit')]).toEqual(['1 commit', '3 commits']);
  });
});
