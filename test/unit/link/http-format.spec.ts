import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseRefName, parseDeviceId, parseOid, parseRepoId } from '../../../src/lib/names.ts';
import {
  formatOfferHeaders,
  formatPackHeaders,
  formatPackState,
  formatSliceHeaders,
  formatToldMap,
  formatStderr,
  MAX_BASES,
  MAX_STDERR_BYTES,
  parseExit,
  parseGitProtocol,
  parseLinkRequest,
  parseOfferHeaders,
  parsePackHeaders,
  parsePackState,
  parseToldMap,
  parseService,
  parseSliceHeaders,
  parseStderr,
} from '../../../src/link/http-format.ts';

const REPO = parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11');
const HASH = 'c4'.repeat(32);
const OFFER = { device: parseDeviceId('a'.repeat(32)), counter: 7, signature: `${'A'.repeat(86)}==`, bases: [parseOid('b'.repeat(40))] };

const read = (headers: Readonly<Record<string, string>>) => parseOfferHeaders((name) => headers[name]);

describe('parseLinkRequest', () => {
  it('knows eight requests', () => {
    expect(parseLinkRequest('POST', '/digest')).toEqual({ kind: 'digest' });
    expect(parseLinkRequest('GET', '/repos')).toEqual({ kind: 'repos' });
    expect(parseLinkRequest('POST', `/repos/${REPO}/map`)).toEqual({ kind: 'map', repo: REPO });
    expect(parseLinkRequest('POST', `/repos/${REPO}/offer`)).toEqual({ kind: 'offer', repo: REPO });
    expect(parseLinkRequest('POST', `/repos/${REPO}/partial`)).toEqual({ kind: 'partial', repo: REPO });
    expect(parseLinkRequest('GET', `/repos/${REPO}/packs/${HASH}`)).toEqual({ kind: 'pack-state', repo: REPO, sha256: HASH });
    expect(parseLinkRequest('POST', `/repos/${REPO}/packs/${HASH}`)).toEqual({ kind: 'pack', repo: REPO, sha256: HASH });
    expect(parseLinkRequest('POST', `/repos/${REPO}/git-upload-pack`)).toEqual({ kind: 'service', repo: REPO, service: 'git-upload-pack' });
    expect(parseLinkRequest('POST', `/repos/${REPO}/git-receive-pack`)).toEqual({ kind: 'service', repo: REPO, service: 'git-receive-pack' });
  });

  it.each([
    ['', ''],
    ['GET', '/digest'],
    ['POST', '/repos'],
    ['POST', '/digest/'],
    ['POST', '/digest?x=1'],
    ['GET', `/repos/${REPO}/map`],
    ['GET', `/repos/${REPO}/partial`],
    ['POST', `/repos/${REPO}/packs/${HASH.toUpperCase()}`],
    ['POST', `/repos/${REPO}/packs/${HASH}0`],
    ['POST', `/repos/${REPO}/packs/../map`],
    ['PUT', `/repos/${REPO}/packs/${HASH}`],
    ['POST', `/repos/${REPO}`],
    ['POST', `/repos/${REPO}/map/`],
    ['POST', `/repos/${REPO}/map\n`],
    ['POST', `/repos/${REPO}/git-upload-archive`],
    ['POST', '/repos/../x/map'],
    ['POST', `//repos/${REPO}/map`],
    ['POST', `/repos/${REPO.toUpperCase()}/map`],
    ['POST', `/repos/${'a'.repeat(300)}/map`],
  ])('refuses %s %j', (method, path) => {
    expect(() => parseLinkRequest(method, path)).toThrow(InputFault);
  });
});

describe('parseService', () => {
  it('takes the two services of git', () => {
    expect(['git-upload-pack', 'git-receive-pack'].map(parseService)).toEqual(['git-upload-pack', 'git-receive-pack']);
    for (const text of ['', 'upload-pack', 'git-upload-archive', 'git-upload-pack --help']) expect(() => parseService(text)).toThrow(InputFault);
  });
});

describe('parseGitProtocol', () => {
  it('takes the three versions, and none', () => {
    expect(['version=0', 'version=1', 'version=2', '', undefined].map(parseGitProtocol)).toEqual(['version=0', 'version=1', 'version=2', undefined, undefined]);
    for (const text of ['version=3', 'version=2:x', 'version=2\n', '2']) expect(() => parseGitProtocol(text)).toThrow(InputFault);
  });
});

describe('formatOfferHeaders', () => {
  it('is read back, with bases and without', () => {
    expect(read(formatOfferHeaders(OFFER))).toEqual(OFFER);
    expect(read(formatOfferHeaders({ ...OFFER, bases: [] }))).toEqual({ ...OFFER, bases: [] });
    expect(read(formatOfferHeaders({ ...OFFER, base: 7 }))).toEqual({ ...OFFER, base: 7 });
    expect(() => read({ ...formatOfferHeaders(OFFER), 'map-base': '0x7' })).toThrow();
    expect(formatOfferHeaders({ ...OFFER, bases: [] })).not.toHaveProperty('map-bases');
  });
});

describe('parseOfferHeaders', () => {
  const good = formatOfferHeaders(OFFER);

  it.each([
    ['no device', 'map-device', ''],
    ['no counter', 'map-counter', ''],
    ['a counter in hex', 'map-counter', '0x10'],
    ['a counter with an exponent', 'map-counter', '1e3'],
    ['a counter with spaces', 'map-counter', ' 7'],
    ['a counter with a sign', 'map-counter', '+7'],
    ['counter 0', 'map-counter', '0'],
    ['a counter beyond 2^53', 'map-counter', '9007199254740992'],
    ['no signature', 'map-signature', ''],
    ['half a signature', 'map-signature', 'AAAA'],
    ['an empty base', 'map-bases', ''],
    ['a base that is none', 'map-bases', 'HEAD'],
    ['a base too many', 'map-bases', Array.from({ length: MAX_BASES + 1 }, () => 'b'.repeat(40)).join(',')],
  ])('refuses %s', (_name, header, value) => {
    expect(() => read({ ...good, [header]: value })).toThrow(InputFault);
  });

  it('refuses headers that are not there', () => {
    expect(() => read({})).toThrow(InputFault);
  });
});

describe('formatStderr', () => {
  it('brings words back, line breaks and all', () => {
    expect(parseStderr(formatStderr('fatal: nö\nsecond\n'))).toBe('fatal: nö\nsecond\n');
    expect(parseStderr(formatStderr(''))).toBe('');
  });

  it('keeps the end of what is too long', () => {
    const words = parseStderr(formatStderr(`${'x'.repeat(5000)}the end`));
    expect(words).toHaveLength(MAX_STDERR_BYTES);
    expect(words.endsWith('xthe end')).toBe(true);
  });
});

describe('parseStderr', () => {
  it('leaves nothing that steers a terminal, whatever the other side says', () => {
    const said = '\u001b]0;title\u0007\u001b[2J\u009b31m\u007f\u202eone\r\ntwo\tthree\rfour\n';
    expect(parseStderr(formatStderr(said))).toBe('?]0;title??[2J?31m??one\ntwo\tthree\nfour\n');
  });

  it('takes nothing for no words, nor anything that is too long', () => {
    expect(parseStderr(undefined)).toBe('');
    expect(parseStderr('A'.repeat(MAX_STDERR_BYTES * 2 + 1))).toBe('');
  });
});

describe('parseExit', () => {
  it('takes exit codes alone: what is none means a lost link', () => {
    expect(['0', '1', '128', '255'].map(parseExit)).toEqual([0, 1, 128, 255]);
    for (const text of [undefined, '', '-1', '1.0', 'x', '0x1', '256', '1000', ' 0']) expect(parseExit(text)).toBeUndefined();
  });
});

describe('headers of slices and packs', () => {
  const PROGRESS = { done: 5, total: 2 ** 40 };
  const PACK = { offset: 0, size: 7, tip: parseOid('b'.repeat(40)) };
  const readSlice = (headers: Readonly<Record<string, string>>) => parseSliceHeaders((name) => headers[name]);
  const readPack = (headers: Readonly<Record<string, string>>) => parsePackHeaders((name) => headers[name]);

  it('are read back, with progress and without', () => {
    for (const slice of [{ bases: [] }, { bases: OFFER.bases, progress: PROGRESS }]) expect(readSlice(formatSliceHeaders(slice))).toEqual(slice);
    for (const pack of [PACK, { ...PACK, offset: 7, progress: PROGRESS }]) expect(readPack(formatPackHeaders(pack))).toEqual(pack);
    expect(parsePackState(formatPackState(9))).toBe(9);
  });

  it.each([
    { 'pack-offset': '8' },
    { 'pack-offset': '-1' },
    { 'pack-offset': '1e3' },
    { 'pack-offset': '' },
    { 'pack-size': '0' },
    { 'pack-size': '99999999999999999' },
    { 'pack-tip': 'main' },
    { 'slice-done': '5' },
    { 'slice-total': 'many' },
  ])('of a pack are refused with %j', (wrong) => {
    expect(() => readPack({ ...formatPackHeaders(PACK), ...wrong })).toThrow(InputFault);
  });

  it('are refused with too many bases, or with bases that are none', () => {
    expect(() => readSlice({ 'map-bases': Array(MAX_BASES + 1).fill('b'.repeat(40)).join(',') })).toThrow(InputFault);
    expect(() => readSlice({ 'map-bases': '--all' })).toThrow(InputFault);
  });

  it.each([undefined, null, {}, { received: -1 }, { received: '1' }, { received: 0.5 }])('the state of a pack is refused as %j', (value) => {
    expect(() => parsePackState(value)).toThrow(InputFault);
  });
});

describe('formatToldMap', () => {
  const told = {
    counter: 1_795_183_513_479,
    signature: `${'A'.repeat(86)}==`,
    base: 7,
    same: [parseRefName('refs/heads/main'), parseRefName('refs/heads/a,b'), parseRefName('refs/tags/ö%41')],
  };
  const readTold = (headers: Readonly<Record<string, string>>): ReturnType<typeof parseToldMap> => parseToldMap((name) => headers[name]);

  it('says what parseToldMap reads, in ASCII', () => {
    const headers = formatToldMap(told) ?? {};
    expect(readTold(headers)).toEqual(told);
    expect(Object.values(headers).join('')).toMatch(/^[\x20-\x7e]*$/);
  });

  it('says nothing where the names are too long for headers', () => {
    const same = Array.from({ length: 100 }, (_none, index) => parseRefName(`refs/heads/${'x'.repeat(50)}${index}`));
    expect(formatToldMap({ ...told, same })).toBeUndefined();
  });

  it('takes an absent map for one that was not told', () => {
    expect(readTold({ 'git-exit': '0' })).toBeUndefined();
  });

  it.each([
    ['map-counter', '-1'],
    ['map-signature', 'AAAA'],
    ['map-base', ''],
    ['map-same', ''],
    ['map-same', 'refs/heads/main  refs/heads/x'],
    ['map-same', 'refs/xmpp/x'],
    ['map-same', 'refs/heads/%ff'],
    ['map-same', 'refs/heads/HEAD'],
    ['map-same', 'x'.repeat(5000)],
  ])('refuses %s: %s', (name, value) => {
    expect(() => readTold({ ...formatToldMap(told), [name]: value })).toThrow();
  });
});
