import { createPrivateKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/lib/bytes.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseOid, parseRefName, parseRepoId } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import {
  MAX_ANNOUNCEMENT_BYTES,
  formatAnnouncement,
  parseAnnouncement,
  signAnnouncement,
  verifyAnnouncement,
} from '../../../src/sync/announcement-format.ts';
import type { Announcement } from '../../../src/sync/announcement-format.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';

const KEY = makeDeviceKey();
const ONE: Announcement = {
  repo: parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11'),
  device: KEY.device,
  counter: 1_700_000_000_000,
  tips: new Map<RefName, Oid | undefined>([[parseRefName('refs/heads/main'), parseOid('a'.repeat(40))]]),
  rest: '0f'.repeat(16),
};
const BYTES = formatAnnouncement(ONE);
const pinned = (): string => KEY.spki;

/** `BYTES` with the byte at `index` replaced. */
const withByte = (index: number, byte: number): Uint8Array => BYTES.map((each, at) => (at === index ? byte : each));
const COUNT_AT = 58;

describe('formatAnnouncement', () => {
  it('takes little more than what it says', () => {
    expect(BYTES).toHaveLength(1 + 1 + 16 + 16 + 8 + 16 + 1 + (1 + 20 + 2 + 15));
    expect(BYTES[COUNT_AT]).toBe(1);
  });

  it('refuses more than 16 tips, and refs that are no branch or tag', () => {
    const many = new Map(Array.from({ length: 17 }, (_, index) => [parseRefName(`refs/heads/${index}`), undefined] as const));
    expect(() => formatAnnouncement({ ...ONE, tips: many })).toThrow(/16 tips/);
    const notes = new Map([[parseRefName('refs/notes/x'), undefined]]);
    expect(() => formatAnnouncement({ ...ONE, tips: notes })).toThrow(InputFault);
  });

  it('takes 16 tips, and refuses a hash that is none', () => {
    const tips = new Map(Array.from({ length: 16 }, (_, index) => [parseRefName(`refs/heads/${index}`), undefined] as const));
    expect(parseAnnouncement(formatAnnouncement({ ...ONE, tips })).tips).toEqual(tips);
    for (const hash of ['', '0f', 'x'.repeat(32), '0f'.repeat(17)]) {
      expect(() => formatAnnouncement({ ...ONE, rest: hash })).toThrow(InputFault);
      expect(() => formatAnnouncement({ ...ONE, hub: hash })).toThrow(InputFault);
    }
  });

  it('refuses names that would not fit into 4 KiB', () => {
    const names = [1, 2, 3, 4, 5].map((digit) => parseRefName(`refs/heads/${digit}${'x'.repeat(900)}`));
    const long = new Map(names.map((name) => [name, undefined] as const));
    expect(() => formatAnnouncement({ ...ONE, tips: long })).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});

describe('parseAnnouncement', () => {
  it('reads what formatAnnouncement writes: moved and gone tips, both lengths of oids, the hub', () => {
    const full = {
      ...ONE,
      tips: new Map<RefName, Oid | undefined>([
        [parseRefName('refs/heads/grün 🌱'.replace(' ', '-')), parseOid('b'.repeat(64))],
        [parseRefName('refs/tags/v1'), undefined],
      ]),
      hub: 'ab'.repeat(16),
    };
    expect(parseAnnouncement(formatAnnouncement(full))).toEqual(full);
    expect(parseAnnouncement(BYTES)).toEqual(ONE);
    expect(parseAnnouncement(formatAnnouncement({ ...ONE, tips: new Map() })).tips.size).toBe(0);
  });

  it('names a newer version', () => {
    expect(() => parseAnnouncement(withByte(0, 2))).toThrow(expect.objectContaining({ code: 'newer-protocol' }));
  });

  it.each([
    ['version 0', withByte(0, 0)],
    ['an unknown flag', withByte(1, 2)],
    ['a hub that is flagged and missing', withByte(1, 1)],
    ['a counter that no double holds', withByte(34, 1)],
    ['a tip too many', withByte(COUNT_AT, 2)],
    ['a tip too few', withByte(COUNT_AT, 0)],
    ['17 tips', withByte(COUNT_AT, 17)],
    ['an oid of another length', withByte(COUNT_AT + 1, 21)],
    ['a ref that is no branch', withByte(COUNT_AT + 27, 0x78)],
    ['a ref that is no UTF-8', withByte(BYTES.length - 1, 0xff)],
    ['a ref with a control character', withByte(BYTES.length - 1, 7)],
    ['a byte missing', BYTES.subarray(0, -1)],
    ['a byte too many', concatBytes([BYTES, Uint8Array.of(0)])],
    ['nothing', new Uint8Array(0)],
    ['too much', new Uint8Array(MAX_ANNOUNCEMENT_BYTES + 1).fill(1)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseAnnouncement(bytes)).toThrow(InputFault);
  });

  it('refuses the same tip twice', () => {
    const tip = BYTES.subarray(COUNT_AT + 1);
    expect(() => parseAnnouncement(concatBytes([withByte(COUNT_AT, 2), tip]))).toThrow(/twice/);
  });
});

describe('verifyAnnouncement', () => {
  const signed = signAnnouncement(ONE, KEY.keyPem);

  it('gives what the pinned device signed', () => {
    expect(verifyAnnouncement(signed, (device) => (device === KEY.device ? KEY.spki : undefined))).toEqual(ONE);
  });

  it('gives nothing for an unknown device, or another’s signature', () => {
    expect(verifyAnnouncement(signed, () => undefined)).toBeUndefined();
    expect(verifyAnnouncement(signed, () => makeDeviceKey().spki)).toBeUndefined();
    expect(verifyAnnouncement(signAnnouncement(ONE, makeDeviceKey().keyPem), pinned)).toBeUndefined();
  });

  it('does not take a signature over the same bytes made for another purpose', () => {
    const bare = sign(null, BYTES, createPrivateKey(KEY.keyPem));
    expect(verifyAnnouncement(concatBytes([BYTES, bare]), pinned)).toBeUndefined();
  });

  it('refuses a signature alone, nothing at all, and too much', () => {
    expect(() => verifyAnnouncement(signed.subarray(-64), pinned)).toThrow(InputFault);
    expect(() => verifyAnnouncement(new Uint8Array(0), pinned)).toThrow(InputFault);
    expect(() => verifyAnnouncement(new Uint8Array(5000), pinned)).toThrow(InputFault);
  });
});
