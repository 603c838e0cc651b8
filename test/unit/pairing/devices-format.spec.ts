// The device list and the notice as bytes: one form, one signer, bounded.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import {
  MAX_AUDIENCE,
  MAX_INTRODUCED,
  MAX_LIST_BYTES,
  MAX_REVOKED,
  formatDeviceList,
  parseDeviceList,
  signDeviceList,
  signNotice,
  verifyDeviceList,
  verifyNotice,
} from '../../../src/pairing/devices-format.ts';
import type { DeviceList } from '../../../src/pairing/devices-format.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { NOW, TYPER_CARD } from '../../helpers/pairing.ts';

const KEY = makeDeviceKey();
const [A, B] = ['a', 'b'].map((digit) => parseDeviceId(digit.repeat(32)));
if (A === undefined || B === undefined) throw new Error('no ids');
const LIST: DeviceList = {
  device: KEY.device,
  account: TYPER_CARD.jid,
  counter: NOW,
  revoked: [{ device: A, by: KEY.device, at: NOW }],
  introduced: [{ card: TYPER_CARD, at: NOW, to: [A, B] }],
};

const textOf = (list: DeviceList): string => Buffer.from(formatDeviceList(list)).toString('utf8');
const idOf = (index: number): typeof A => parseDeviceId(index.toString(16).padStart(32, '0'));

describe('a device list', () => {
  it('is read as it was written', () => {
    expect(parseDeviceList(formatDeviceList(LIST))).toEqual(LIST);
    expect(verifyDeviceList(signDeviceList(LIST, KEY.keyPem), () => KEY.spki)).toEqual(LIST);
  });

  it('fits, as full as it may be, into what one stanza carries', () => {
    const revoked = Array.from({ length: MAX_REVOKED }, (_, index) => ({ device: idOf(index), by: A, at: NOW }));
    expect(signDeviceList({ ...LIST, revoked }, KEY.keyPem).length).toBeLessThan(MAX_LIST_BYTES);
    expect(() => parseDeviceList(formatDeviceList({ ...LIST, revoked: [...revoked, { device: B, by: A, at: NOW }] }))).toThrow(`at most ${MAX_REVOKED}`);
  });

  it.each<[string, (text: string) => string]>([
    ['white space', (text) => text.replace(',', ', ')],
    ['a field too many', (text) => text.replace('{"version":1', '{"version":1,"more":1')],
    ['another order', (text) => text.replace(`"device":"${KEY.device}","account":"${TYPER_CARD.jid}"`, `"account":"${TYPER_CARD.jid}","device":"${KEY.device}"`)],
    ['a field that stands twice', (text) => text.replace('"version":1', '"version":1,"version":1')],
    ['a number in another form', (text) => text.replace(`"counter":${NOW}`, `"counter":${NOW}.0`)],
    ['a counter of nothing', (text) => text.replace(`"counter":${NOW}`, '"counter":0')],
    ['a device twice', (text) => text.replace('"revoked":[', `"revoked":[{"device":"${A}","by":"${A}","at":1},`)],
    ['a device introduced twice', (text) => text.replace(/"introduced":\[(.*)\]\}$/, '"introduced":[$1,$1]}')],
    ['an audience out of order', (text) => text.replace(`["${A}","${B}"]`, `["${B}","${A}"]`)],
    ['an account in capitals', (text) => text.replace(`"account":"${TYPER_CARD.jid}"`, `"account":"${TYPER_CARD.jid.toUpperCase()}"`)],
    ['a card whose id is not that of its key', (text) => text.replace(TYPER_CARD.device, A)],
    ['no list of devices', (text) => text.replace(/"revoked":\[[^\]]*\]/, '"revoked":{}')],
    ['no JSON', (text) => text.slice(1)],
  ])('is refused with %s', (_what, spoil) => {
    const text = spoil(textOf(LIST));
    expect(text).not.toBe(textOf(LIST));
    expect(() => parseDeviceList(utf8(text))).toThrow(/^device list|^device card|^JID/);
  });

  it('introduces a device to at most as many as fit', () => {
    const introducedTo = (count: number): DeviceList => ({ ...LIST, introduced: [{ card: TYPER_CARD, at: NOW, to: Array.from({ length: count }, (_, index) => idOf(index)) }] });
    expect(parseDeviceList(formatDeviceList(introducedTo(MAX_AUDIENCE))).introduced[0]?.to).toHaveLength(MAX_AUDIENCE);
    expect(() => parseDeviceList(formatDeviceList(introducedTo(MAX_AUDIENCE + 1)))).toThrow(`at most ${MAX_AUDIENCE}`);
  });

  it('names a newer version, whatever else it holds', () => {
    expect(() => parseDeviceList(utf8(textOf(LIST).replace('"version":1', '"version":2')))).toThrow('newer version');
  });

  it('counts only with the signature of the very device that it names, over the very bytes', () => {
    const signed = signDeviceList(LIST, KEY.keyPem);
    const other = makeDeviceKey();
    expect(verifyDeviceList(signed, () => undefined)).toBeUndefined();
    expect(verifyDeviceList(signed, () => other.spki)).toBeUndefined();
    expect(verifyDeviceList(signDeviceList(LIST, other.keyPem), () => KEY.spki)).toBeUndefined();
    expect(verifyDeviceList(Buffer.concat([formatDeviceList({ ...LIST, counter: NOW + 1 }), signed.subarray(-64)]), () => KEY.spki)).toBeUndefined();
    expect(() => verifyDeviceList(new Uint8Array(MAX_LIST_BYTES + 1), () => KEY.spki)).toThrow(`larger than ${MAX_LIST_BYTES}`);
  });

  it('is not made larger than it may be', () => {
    const many = Array.from({ length: MAX_INTRODUCED }, (_, index) => ({ card: TYPER_CARD, at: NOW, to: Array.from({ length: 64 }, (_each, place) => idOf(index * 64 + place)) }));
    expect(() => formatDeviceList({ ...LIST, introduced: many })).toThrow('is full');
  });
});

describe('a notice', () => {
  const notice = { device: A, by: KEY.device, at: NOW };

  it('is read as it was signed, and no list in disguise', () => {
    const signed = signNotice(notice, KEY.keyPem);
    expect(verifyNotice(signed, () => KEY.spki)).toEqual(notice);
    expect(verifyNotice(signed, () => makeDeviceKey().spki)).toBeUndefined();
    expect(() => verifyDeviceList(signed, () => KEY.spki)).toThrow();
    expect(() => verifyNotice(signDeviceList({ ...LIST, revoked: [], introduced: [] }, KEY.keyPem), () => KEY.spki)).toThrow();
  });

  it('is bounded, and of one form', () => {
    expect(() => verifyNotice(new Uint8Array(513), () => KEY.spki)).toThrow('larger than 512');
    const [text, signature] = [`{"version":1,"device":"${A}","by":"${KEY.device}","at":1,"x":1}`, new Uint8Array(64)];
    expect(() => verifyNotice(Buffer.concat([utf8(text), signature]), () => KEY.spki)).toThrow('one form');
  });
});
