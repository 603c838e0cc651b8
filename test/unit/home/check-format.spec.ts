import { describe, expect, it } from 'vitest';
import { countWatches, formatMode, isAtLeast, parseGitVersion, parseLimit } from '../../../src/home/check-format.ts';

describe('parseGitVersion', () => {
  it.each([
    ['git version 2.39.5\n', [2, 39, 5]],
    ['git version 2.39.5 (Apple Git-154)', [2, 39, 5]],
    ['git version 2.45.1.windows.1', [2, 45, 1]],
    ['git version 3.0-rc1', [3, 0, 0]],
    ['jit version 2.39.5', undefined],
    ['', undefined],
  ])('reads %j', (text, version) => {
    expect(parseGitVersion(text)).toEqual(version);
  });
});

describe('isAtLeast', () => {
  it.each([
    [[2, 38, 0], true],
    [[2, 39, 5], true],
    [[3, 0, 0], true],
    [[2, 37, 9], false],
    [[1, 99, 0], false],
  ])('compares %j with 2.38', (have, is) => {
    expect(isAtLeast(have, [2, 38, 0])).toBe(is);
  });
});

describe('what /proc tells', () => {
  it('counts the watches of a descriptor, and none of any other', () => {
    expect(countWatches('pos:\t0\nflags:\t02004000\ninotify wd:2 ino:1 sdev:2\ninotify wd:1 ino:3 sdev:2\n')).toBe(2);
    expect(countWatches('pos:\t0\neventfd-count: 0\n')).toBe(0);
  });

  it('takes a number and nothing else for a limit', () => {
    expect(parseLimit('192536\n')).toBe(192_536);
    expect([undefined, '', 'max', '-1', '1 2'].map(parseLimit)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('shows modes as chmod takes them', () => {
    expect([0o40_700, 0o100_644, 0o100_006].map(formatMode)).toEqual(['0700', '0644', '0006']);
  });
});
