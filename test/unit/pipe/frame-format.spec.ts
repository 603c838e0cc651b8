// The byte table, line by line, and what it refuses.

import { describe, expect, it } from 'vitest';
import {
  DATA_OVERHEAD,
  MAX_DATA,
  codeOfType,
  encodeData,
  encodeFrame,
  encodeResumeFields,
  parseHeader,
  parseLinkId,
  parsePayload,
} from '../../../src/pipe/frame-format.ts';
import type { Frame, ResumeFields } from '../../../src/pipe/frame-format.ts';

const linkId = parseLinkId('000102030405060708090a0b0c0d0e0f');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const resume: ResumeFields = {
  type: 'resume',
  linkId,
  epoch: 7,
  role: 'listener',
  received: 2 ** 32 + 5,
  carrier: { kind: 'direct', sid: 'ab' },
};

describe('encodeFrame', () => {
  it.each<[Frame, string]>([
    [{ type: 'open', version: 1, linkId }, '01 00000011 01 000102030405060708090a0b0c0d0e0f'],
    [{ type: 'data', offset: 2 ** 32, bytes: Uint8Array.of(9) }, '02 00000009 0000000100000000 09'],
    [{ type: 'ack', received: 3 }, '03 00000008 0000000000000003'],
    [
      { ...resume, mac: new Uint8Array(32).fill(0xee) },
      `04 00000041 000102030405060708090a0b0c0d0e0f 00000007 01 0000000100000005 02 02 6162 ${'ee'.repeat(32)}`,
    ],
    [{ type: 'ping', number: 1 }, '06 00000004 00000001'],
    [{ type: 'pong', number: 2 }, '07 00000004 00000002'],
    [{ type: 'close', reason: 'unknown-link' }, '08 00000001 03'],
  ])('lays out %j by the table', (frame, expected) => {
    expect(hex(encodeFrame(frame))).toBe(expected.replaceAll(' ', ''));
  });

  it('refuses more data than a frame may carry', () => {
    expect(() => encodeFrame({ type: 'data', offset: 0, bytes: new Uint8Array(MAX_DATA + 1) })).toThrow('too long');
    expect(() => encodeData(0, MAX_DATA + 1, () => undefined)).toThrow('too long');
    expect(encodeData(0, MAX_DATA, () => undefined)).toHaveLength(DATA_OVERHEAD + MAX_DATA);
  });
});

describe('encodeResumeFields', () => {
  it.each(['', 'x'.repeat(129)])('refuses the sid "%s"', (sid) => {
    expect(() => encodeResumeFields({ ...resume, carrier: { kind: 'in-band', sid } })).toThrow('not 1 to 128 bytes');
  });
});

describe('codeOfType', () => {
  it('is the number in the table', () => {
    expect([codeOfType('open'), codeOfType('resume'), codeOfType('resumed'), codeOfType('close')]).toEqual([1, 4, 5, 8]);
  });
});

describe('parseHeader', () => {
  it('waits for five bytes', () => {
    expect(parseHeader(new Uint8Array(0))).toBeUndefined();
    expect(parseHeader(Uint8Array.of(3, 0, 0, 0))).toBeUndefined();
    expect(parseHeader(Uint8Array.of(3, 0, 0, 0, 8))).toEqual({ type: 'ack', length: 8 });
  });

  it.each([0, 9, 255])('refuses type %i at its first byte', (type) => {
    expect(() => parseHeader(Uint8Array.of(type))).toThrow(`type ${type} is unknown`);
  });

  it('refuses a length that the type cannot have before its payload comes', () => {
    expect(() => parseHeader(Uint8Array.of(2, 0, 1, 0, 9))).toThrow('data of 65545 bytes is too long');
    expect(() => parseHeader(Uint8Array.of(3, 0, 0, 0, 9))).toThrow('ack of 9 bytes is too long');
  });
});

describe('parsePayload', () => {
  it('refuses a payload that is too short, too long or empty', () => {
    expect(() => parsePayload('ack', new Uint8Array(7))).toThrow('cut short');
    expect(() => parsePayload('ping', new Uint8Array(5))).toThrow('too long');
    expect(() => parsePayload('data', new Uint8Array(8))).toThrow('cut short');
  });

  it('refuses a reason that it does not know', () => {
    expect(() => parsePayload('close', Uint8Array.of(7))).toThrow('unknown code 7');
  });

  it('reads the version of a newer OPEN that says more', () => {
    const payload = Uint8Array.from([2, ...Array.from({ length: 16 }, (_none, index) => index), 1, 2, 3]);
    expect(parsePayload('open', payload)).toEqual({ type: 'open', version: 2, linkId });
    payload[0] = 1;
    expect(() => parsePayload('open', payload)).toThrow('too long');
  });
});

describe('parseLinkId', () => {
  it.each(['', '00', 'F'.repeat(32), 'g'.repeat(32)])('refuses "%s"', (text) => {
    expect(() => parseLinkId(text)).toThrow('32 hex digits');
  });
});
