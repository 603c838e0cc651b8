import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import {
  isGranted,
  isRefName,
  parseDeviceId,
  parseGrant,
  parseOid,
  parsePetname,
  parseRefName,
  parseRepoId,
  parseRepoName,
} from '../../../src/lib/names.ts';

const UUID = '0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11';

describe('parseOid', () => {
  it.each(['a'.repeat(40), '0123456789abcdef'.repeat(4)])('takes %s', (text) => {
    expect(parseOid(text)).toBe(text);
  });

  it.each(['', 'a'.repeat(39), 'a'.repeat(41), 'A'.repeat(40), 'g'.repeat(40), `${'a'.repeat(40)}\n`, 'HEAD'])('refuses %j', (text) => {
    expect(() => parseOid(text)).toThrow(InputFault);
  });
});

describe('isRefName', () => {
  it.each(['refs/heads/main', 'refs/heads/a/b', 'refs/heads/grün', 'refs/heads/@', 'refs/heads/a@b', 'refs/heads/-x', 'heads/x'])('takes %s', (text) => {
    expect(isRefName(text)).toBe(true);
  });

  it.each([
    'main',
    '/refs/heads/x',
    'refs/heads/',
    'refs//heads',
    'refs/heads/.x',
    'refs/heads/x..y',
    'refs/heads/x.',
    'refs/heads/x.lock',
    'refs/x.lock/y',
    'refs/heads/x@{1}',
    'refs/heads/a b',
    'refs/heads/a~b',
    'refs/heads/a^b',
    'refs/heads/a:b',
    'refs/heads/a?b',
    'refs/heads/a*b',
    'refs/heads/a[b',
    'refs/heads/a\\b',
    'refs/heads/a\nb',
    'refs/heads/a\x7fb',
    `refs/heads/${'x'.repeat(1024)}`,
  ])('refuses %j, as git does', (text) => {
    expect(isRefName(text)).toBe(false);
  });

  it('refuses half a surrogate pair, which would stand for another name in bytes', () => {
    expect(isRefName('refs/heads/a\ud83d')).toBe(false);
    expect(isRefName('refs/heads/a\u{1f600}')).toBe(true);
  });

  it('refuses what stands for bytes that are no UTF-8', () => {
    expect(isRefName(`refs/heads/${Buffer.from([0x61, 0xe9]).toString('utf8')}`)).toBe(false);
  });
});

describe('parseRefName', () => {
  it('takes full names only', () => {
    expect(parseRefName('refs/tags/v1')).toBe('refs/tags/v1');
    expect(() => parseRefName('heads/main')).toThrow('"heads/main" is not a valid full ref name');
  });

  it('never fills a screen with what it refuses', () => {
    expect(() => parseRefName(`x${'\x1b[2J'.repeat(500)}`)).toThrow(/^ref name: "x\?\[2J\?.{60,80}…" is not a valid full ref name$/);
  });
});

describe('parseRepoId', () => {
  it('takes a lower-case UUID and nothing like it', () => {
    expect(parseRepoId(UUID)).toBe(UUID);
    for (const text of [UUID.toUpperCase(), UUID.replaceAll('-', ''), `${UUID}0`, '', ` ${UUID}`]) {
      expect(() => parseRepoId(text)).toThrow(InputFault);
    }
  });
});

describe('parseDeviceId', () => {
  it('takes 32 hex digits and nothing else', () => {
    expect(parseDeviceId('0a'.repeat(16))).toBe('0a'.repeat(16));
    for (const text of ['', 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(33), '../'.repeat(11)]) expect(() => parseDeviceId(text)).toThrow(InputFault);
  });
});

describe('parsePetname', () => {
  it.each(['laptop', 'a', 'Büro-2', 'x.y_z-1', '9', '机器'])('takes %s', (text) => {
    expect(parsePetname(text)).toBe(text);
  });

  it.each(['', '-x', '.x', '_x', 'a/b', 'a b', 'a..b', 'a.lock', 'HEAD', 'head', 'a\n', 'x'.repeat(65), '--upload-pack=x'])('refuses %j', (text) => {
    expect(() => parsePetname(text)).toThrow(InputFault);
  });
});

describe('parseRepoName', () => {
  it.each(['notes', '_x', 'my notes', 'a+b.git', 'résumé'])('takes %s', (text) => {
    expect(parseRepoName(text)).toBe(text);
  });

  it.each(['', '-x', '.git', 'a/b', '..', ' x', 'a\tb', 'x'.repeat(101)])('refuses %j', (text) => {
    expect(() => parseRepoName(text)).toThrow(InputFault);
  });
});

describe('parseGrant', () => {
  it('takes the four grants alone', () => {
    expect(['none', 'read', 'offer', 'write'].map(parseGrant)).toEqual(['none', 'read', 'offer', 'write']);
    for (const text of ['', 'Write', 'all', 'constructor']) expect(() => parseGrant(text)).toThrow(InputFault);
  });
});

describe('isGranted', () => {
  it('says that each grant holds those before it', () => {
    const held = (['none', 'read', 'offer', 'write'] as const).map((grant) =>
      (['read', 'offer', 'write'] as const).filter((needed) => isGranted(grant, needed)),
    );
    expect(held).toEqual([[], ['read'], ['read', 'offer'], ['read', 'offer', 'write']]);
  });
});
