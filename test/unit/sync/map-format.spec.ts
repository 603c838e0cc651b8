import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseOid, parseRefName, parseRepoId } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import { MAX_MAP_REFS, applyChanges, diffMaps, isMapSignedBy, mapHash, signMap } from '../../../src/sync/map-format.ts';
import type { MapStatement, RefsOfMap } from '../../../src/sync/map-format.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';

const KEY = makeDeviceKey();
const oid = (digit: string): Oid => parseOid(digit.repeat(40));
const refs = (entries: Record<string, string>): RefsOfMap =>
  new Map(Object.entries(entries).map(([ref, digit]) => [parseRefName(ref), oid(digit)]));

const REFS = refs({ 'refs/heads/main': 'a', 'refs/tags/v1': 'b', 'refs/heads/grün': 'c' });
const STATEMENT: MapStatement = {
  repo: parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11'),
  device: KEY.device,
  counter: 7,
  refs: REFS,
};
const TOO_MANY: RefsOfMap = new Map(
  Array.from({ length: MAX_MAP_REFS + 1 }, (_, index) => [parseRefName(`refs/heads/b${index}`), oid('a')] as const),
);

describe('signMap', () => {
  it('signs the text of the protocol, byte for byte', () => {
    const text =
      'git-xmpp-map/1\n0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11\n' +
      `${KEY.device}\n7\n${'c'.repeat(40)} refs/heads/grün\n${'a'.repeat(40)} refs/heads/main\n${'b'.repeat(40)} refs/tags/v1\n`;
    expect(signMap(STATEMENT, KEY.keyPem)).toEqual(new Uint8Array(sign(null, Buffer.from(text), createPrivateKey(KEY.keyPem))));
  });

  it('refuses more than 20 000 refs by a fault that says what to do', () => {
    expect(() => signMap({ ...STATEMENT, refs: TOO_MANY }, KEY.keyPem)).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});

describe('isMapSignedBy', () => {
  const signature = signMap(STATEMENT, KEY.keyPem);

  it('knows a map again whatever order its refs come in', () => {
    const turned = { ...STATEMENT, refs: new Map([...REFS].toReversed()) };
    expect(isMapSignedBy(turned, signature, KEY.spki)).toBe(true);
  });

  it.each<[string, Partial<MapStatement>]>([
    ['another repository', { repo: parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d12') }],
    ['another device', { device: makeDeviceKey().device }],
    ['another counter', { counter: 8 }],
    ['a ref less', { refs: refs({ 'refs/heads/main': 'a', 'refs/tags/v1': 'b' }) }],
    ['a ref moved', { refs: refs({ 'refs/heads/main': 'd', 'refs/tags/v1': 'b', 'refs/heads/grün': 'c' }) }],
    ['a ref renamed', { refs: refs({ 'refs/heads/mein': 'a', 'refs/tags/v1': 'b', 'refs/heads/grün': 'c' }) }],
    ['more refs than anybody may have', { refs: TOO_MANY }],
  ])('refuses %s', (_name, changes) => {
    expect(isMapSignedBy({ ...STATEMENT, ...changes }, signature, KEY.spki)).toBe(false);
  });

  it('refuses another key, and what is no key or no signature', () => {
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    for (const spki of [makeDeviceKey().spki, x25519, '', 'x']) expect(isMapSignedBy(STATEMENT, signature, spki)).toBe(false);
    expect(isMapSignedBy(STATEMENT, signature.subarray(1), KEY.spki)).toBe(false);
    expect(isMapSignedBy(STATEMENT, new Uint8Array(64), KEY.spki)).toBe(false);
  });
});

describe('mapHash', () => {
  it('is the beginning of SHA-256 over the sorted lines', () => {
    const lines = `${'a'.repeat(40)} refs/heads/main\n${'b'.repeat(40)} refs/tags/v1\n`;
    const expected = createHash('sha256').update(lines).digest('hex').slice(0, 32);
    expect(mapHash(refs({ 'refs/tags/v1': 'b', 'refs/heads/main': 'a' }))).toBe(expected);
  });

  it('sorts by the bytes of UTF-8, not by UTF-16', () => {
    const lines = `${'a'.repeat(40)} refs/heads/\uffe6\n${'b'.repeat(40)} refs/heads/\u{1f600}\n`;
    const expected = createHash('sha256').update(lines).digest('hex').slice(0, 32);
    expect(mapHash(refs({ 'refs/heads/\u{1f600}': 'b', 'refs/heads/\uffe6': 'a' }))).toBe(expected);
  });

  it('gives the empty map a hash too', () => {
    expect(mapHash(new Map())).toBe('e3b0c44298fc1c149afbf4c8996fb924');
  });
});

describe('diffMaps', () => {
  it('names what is new, what moved and what is gone', () => {
    const from = refs({ 'refs/heads/a': '1', 'refs/heads/b': '2', 'refs/heads/c': '3' });
    const to = refs({ 'refs/heads/b': '2', 'refs/heads/c': '4', 'refs/heads/d': '5' });
    expect(diffMaps(from, to)).toEqual(
      new Map<RefName, Oid | undefined>([
        [parseRefName('refs/heads/c'), oid('4')],
        [parseRefName('refs/heads/d'), oid('5')],
        [parseRefName('refs/heads/a'), undefined],
      ]),
    );
  });

  it('is empty for equal maps', () => {
    expect(diffMaps(REFS, new Map([...REFS].toReversed())).size).toBe(0);
  });
});

describe('applyChanges', () => {
  it('leads from one map to the other, and leaves the first alone', () => {
    const from = refs({ 'refs/heads/a': '1', 'refs/heads/b': '2' });
    const to = refs({ 'refs/heads/b': '3', 'refs/tags/c': '4' });
    expect(applyChanges(from, diffMaps(from, to))).toEqual(to);
    expect(from.size).toBe(2);
  });
});
