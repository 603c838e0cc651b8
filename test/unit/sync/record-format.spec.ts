import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName } from '../../../src/lib/names.ts';
import { formatLacking, formatRecordedMap, isMapRef, MAX_RECORDED_REFS, parseLacking, parseMapRef, parseRecordedMap, parseSignature } from '../../../src/sync/record-format.ts';

const OID = 'a'.repeat(40);
const SIGNATURE = `${'A'.repeat(86)}==`;
const map = (patch: object = {}): object => ({
  device: 'b'.repeat(32),
  counter: 9,
  signature: SIGNATURE,
  base: 0,
  changes: { 'refs/heads/main': OID, 'refs/tags/v1': null },
  ...patch,
});

describe('formatRecordedMap', () => {
  it('is the JSON of the protocol, null for what is gone', () => {
    const changes = new Map([
      [parseRefName('refs/heads/main'), parseOid(OID)],
      [parseRefName('refs/tags/v1'), undefined],
    ]);
    const recorded = { device: parseDeviceId('b'.repeat(32)), counter: 9, signature: SIGNATURE, base: 0, changes, maybe: [] };
    expect(formatRecordedMap(recorded)).toStrictEqual(map());
    expect(parseRecordedMap(map())).toEqual(recorded);
    const asking = { ...recorded, maybe: [parseOid(OID)] };
    expect(formatRecordedMap(asking)).toStrictEqual(map({ maybe: [OID] }));
    expect(parseRecordedMap(map({ maybe: [OID] }))).toEqual(asking);
  });
});

describe('parseRecordedMap', () => {
  it('takes the counter that changes build on', () => {
    expect(parseRecordedMap(map({ base: 8 })).base).toBe(8);
  });

  it.each<[string, unknown]>([
    ['no object', 'map'],
    ['no device', map({ device: undefined })],
    ['a device that has no text', map({ device: { toString: 1, valueOf: 1 } })],
    ['a counter in words', map({ counter: '9' })],
    ['a base below 0', map({ base: -1 })],
    ['no base', map({ base: undefined })],
    ['no signature', map({ signature: undefined })],
    ['a signature that is too short', map({ signature: 'AAAA' })],
    ['a signature with bits behind its end', map({ signature: `${'A'.repeat(85)}B==` })],
    ['no changes', map({ changes: undefined })],
    ['a question about what is no object id', map({ maybe: ['main'] })],
    ['a question about more than 16 objects', map({ maybe: Array(17).fill(OID) })],
    ['a question that is no list', map({ maybe: OID })],
    ['a ref outside branches and tags', map({ changes: { 'refs/stash': OID } })],
    ['a corner of somebody', map({ changes: { [`refs/xmpp/${'b'.repeat(32)}/heads/x`]: OID } })],
    ['a branch called HEAD', map({ changes: { 'refs/heads/HEAD': OID } })],
    ['a way out', map({ changes: { 'refs/heads/../../x': OID } })],
    ['a control character', map({ changes: { 'refs/heads/a\u0007b': OID } })],
    ['two lines', map({ changes: { 'refs/heads/a\nb': OID } })],
    ['an oid that is none', map({ changes: { 'refs/heads/x': 'main' } })],
    ['an oid that is a number', map({ changes: { 'refs/heads/x': 7 } })],
    ['a way into the prototype', JSON.parse(`{"changes":{"__proto__":"${OID}"},"base":0,"counter":1,"device":"${'b'.repeat(32)}","signature":"${SIGNATURE}"}`)],
  ])('refuses %s', (_name, value) => {
    expect(() => parseRecordedMap(value)).toThrow(InputFault);
  });

  it('takes 4000 changes and no more', () => {
    const changes = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_none, index) => [`refs/heads/b${index}`, OID]));
    expect(parseRecordedMap(map({ changes: changes(MAX_RECORDED_REFS) })).changes.size).toBe(MAX_RECORDED_REFS);
    expect(() => parseRecordedMap(map({ changes: changes(MAX_RECORDED_REFS + 1) }))).toThrow(/more than 4000/);
  });
});

describe('parseSignature', () => {
  it('takes 64 bytes of canonical base64', () => {
    expect(parseSignature(SIGNATURE)).toBe(SIGNATURE);
    for (const value of ['', `${SIGNATURE}=`, `${SIGNATURE}\n`, undefined, [SIGNATURE]]) expect(() => parseSignature(value)).toThrow(InputFault);
  });
});

describe('isMapRef', () => {
  it('is true for the book of left commits, and for nothing else of ours', () => {
    expect(isMapRef('refs/xmpp/left')).toBe(true);
    expect(['refs/xmpp/left/x', 'refs/xmpp/lef', 'refs/xmpp/kept/x', 'refs/xmpp/partial/x', `refs/xmpp/${'b'.repeat(32)}/left`].map(isMapRef)).toEqual([false, false, false, false, false]);
  });

  it('is true for branches and tags, but not for a branch called HEAD', () => {
    expect(['refs/heads/x', 'refs/tags/x', 'refs/tags/HEAD', 'refs/heads/HEAD/x'].map(isMapRef)).toEqual([true, true, true, true]);
    expect(['refs/heads/HEAD', 'refs/notes/x', 'refs/remotes/a/b', 'HEAD', 'xrefs/heads/x'].map(isMapRef)).toEqual([false, false, false, false, false]);
  });
});

describe('parseMapRef', () => {
  it('takes valid names of branches and tags', () => {
    expect(parseMapRef('refs/heads/grün/x')).toBe('refs/heads/grün/x');
    for (const ref of ['refs/heads/', 'refs/heads/x.lock', 'refs/heads/a b', 'refs/stash']) expect(() => parseMapRef(ref)).toThrow(InputFault);
  });
});

describe('parseLacking', () => {
  it('reads what was written, and no answer as taken in', () => {
    const lacking = { tips: [parseOid(OID)] };
    expect(parseLacking(formatLacking(lacking))).toEqual(lacking);
    const most = { tips: Array.from({ length: 16 }, () => parseOid(OID)) };
    expect(parseLacking(formatLacking(most))).toEqual(most);
    expect(parseLacking(undefined)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['no word of lacking', { tips: [] }],
    ['no tips', { lacking: true }],
    ['17 tips', { lacking: true, tips: Array.from({ length: 17 }, () => OID) }],
    ['a tip that is none', { lacking: true, tips: ['main'] }],
    ['a tip in a list', { lacking: true, tips: [[OID]] }],
  ])('refuses %s', (_name, value) => {
    expect(() => parseLacking(value)).toThrow(InputFault);
  });
});
