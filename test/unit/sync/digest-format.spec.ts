import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseDeviceId, parseRepoId } from '../../../src/lib/names.ts';
import { formatDigest, MAX_REPOS, parseCounter, parseDigest, parseRecord, parseText, PROTOCOL_VERSION } from '../../../src/sync/digest-format.ts';

const REPO = '0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11';
const DEVICE = 'a'.repeat(32);
const repo = (patch: object = {}): object => ({ repo: REPO, name: 'notes', maps: { [DEVICE]: 7 }, ...patch });

describe('formatDigest', () => {
  it('is the JSON of the protocol', () => {
    const maps = new Map([[parseDeviceId(DEVICE), 7]]);
    expect(formatDigest({ version: 1, repos: [{ repo: parseRepoId(REPO), name: 'notes', maps }] })).toStrictEqual({ version: 1, repos: [repo()] });
  });
});

describe('parseDigest', () => {
  it('reads what was written', () => {
    const digest = parseDigest({ version: 1, repos: [repo()] });
    expect(digest.repos[0]?.maps.get(parseDeviceId(DEVICE))).toBe(7);
    expect(formatDigest(digest)).toStrictEqual({ version: 1, repos: [repo()] });
    expect(parseDigest({ version: 1, repos: [] })).toEqual({ version: 1, repos: [] });
  });

  it('reads of a newer version nothing but its number, so that it is refused by name', () => {
    expect(parseDigest({ version: PROTOCOL_VERSION + 1, repositories: 'another form' })).toEqual({ version: PROTOCOL_VERSION + 1, repos: [] });
  });

  it.each<[string, unknown]>([
    ['no object', 7],
    ['null', null],
    ['a list', []],
    ['no version', { repos: [] }],
    ['version 0', { version: 0, repos: [] }],
    ['a version in words', { version: '1', repos: [] }],
    ['half a version', { version: 1.5, repos: [] }],
    ['no list of repositories', { version: 1, repos: {} }],
    ['too many repositories', { version: 1, repos: Array.from({ length: MAX_REPOS + 1 }, () => repo()) }],
    ['no repo id', { version: 1, repos: [repo({ repo: undefined })] }],
    ['a repo id in a list', { version: 1, repos: [repo({ repo: [REPO] })] }],
    ['an object without a text', { version: 1, repos: [repo({ name: { toString: 1 } })] }],
    ['a name that is a path', { version: 1, repos: [repo({ name: '../x' })] }],
    ['no maps', { version: 1, repos: [repo({ maps: undefined })] }],
    ['maps in a list', { version: 1, repos: [repo({ maps: [] })] }],
    ['a device that is none', { version: 1, repos: [repo({ maps: { x: 1 } })] }],
    ['counter 0', { version: 1, repos: [repo({ maps: { [DEVICE]: 0 } })] }],
    ['a counter beyond 2^53', { version: 1, repos: [repo({ maps: { [DEVICE]: 2 ** 53 } })] }],
  ])('refuses %s', (_name, value) => {
    expect(() => parseDigest(value)).toThrow(InputFault);
  });

  it('refuses more maps than a repository can have', () => {
    const maps = Object.fromEntries(Array.from({ length: 513 }, (_none, index) => [index.toString(16).padStart(32, '0'), 1]));
    expect(() => parseDigest({ version: 1, repos: [repo({ maps })] })).toThrow(/more than 512/);
  });
});

describe('parseCounter', () => {
  it('takes positive integers that a double holds exactly', () => {
    expect([1, 2 ** 53 - 1].map(parseCounter)).toEqual([1, 2 ** 53 - 1]);
    for (const value of [0, -1, 1.5, NaN, Infinity, 2 ** 53, '1', null, undefined, {}, 1n]) expect(() => parseCounter(value)).toThrow(InputFault);
  });
});

describe('parseText and parseRecord', () => {
  it('name what is wrong', () => {
    expect(parseText('x', 'name')).toBe('x');
    expect(() => parseText(['x'], 'name')).toThrow('name: is no text');
    expect(parseRecord({ a: 1 }, 'map')).toEqual({ a: 1 });
    expect(() => parseRecord([], 'map')).toThrow('map: is no JSON object');
  });
});
