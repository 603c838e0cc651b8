// What a device says of the devices of its account, signed: whom it holds for unpaired, and whom it introduces (docs/PROTOCOL.md, "Own
// devices"). Rule: one form in bytes for one list; each list is complete, so that the newest is all that has to be read.

import { concatBytes, equalBytes, utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import type { FaultOptions } from '../lib/errors.ts';
import { parseBareJid } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import { SIGNATURE_BYTES, isSignedBy, signStatement, splitSigned } from '../lib/signature.ts';
import { orderCard, parseCardFields } from './card-format.ts';
import type { DeviceCard } from './card-format.ts';

/** Version of the form below. */
export const DEVICES_VERSION = 1;
/** More devices than this are not held for unpaired. */
export const MAX_REVOKED = 128;
/** More introductions than this are not told at a time. */
export const MAX_INTRODUCED = 32;
/** One introduction is for at most so many devices. */
export const MAX_AUDIENCE = 64;
/** Length in bytes, signature included: sealed and in base64 it fits into one stanza of 64 KiB. */
export const MAX_LIST_BYTES = 40_000;
/** Length in bytes of the largest notice, signature included. */
export const MAX_NOTICE_BYTES = 512;

/** A device that was unpaired, for good. */
export interface Revoked {
  readonly device: DeviceId;
  /** Who unpaired it first. */
  readonly by: DeviceId;
  /** Milliseconds since 1970, by that device's clock. */
  readonly at: number;
}

/** A device that is vouched for. */
export interface Introduced {
  /** Without a certificate. */
  readonly card: DeviceCard;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The devices that it is introduced to. */
  readonly to: readonly DeviceId[];
}

export interface DeviceList {
  /** Who says so. */
  readonly device: DeviceId;
  readonly account: BareJid;
  /** Rises with every list of this device. */
  readonly counter: number;
  /** Ascending by device. */
  readonly revoked: readonly Revoked[];
  /** Ascending by device. */
  readonly introduced: readonly Introduced[];
}

const LIST_CONTEXT = utf8('git-xmpp-devices/1\n');
const NOTICE_CONTEXT = utf8('git-xmpp-unpaired/1\n');

/** The list as it is sealed: its bytes, then the device's Ed25519 signature. @throws Fault `too-large`, InputFault */
export function signDeviceList(list: DeviceList, keyPem: string): Uint8Array {
  return signStatement(LIST_CONTEXT, formatDeviceList(list), keyPem);
}

/**
 * Reads a list and judges its signature.
 * @param pinOf public key (base64 of SPKI in DER) pinned for a device, or undefined
 * @returns undefined when the device is unknown or did not sign this. @throws InputFault, Fault `newer-protocol`
 */
export function verifyDeviceList(signed: Uint8Array, pinOf: (device: DeviceId) => string | undefined): DeviceList | undefined {
  if (signed.length > MAX_LIST_BYTES) throw broken(`is larger than ${MAX_LIST_BYTES} bytes`);
  const { statement, signature } = splitSigned(signed);
  const list = parseDeviceList(statement);
  return isGenuine(LIST_CONTEXT, { statement, signature }, pinOf(list.device)) ? list : undefined;
}

/**
 * JSON in UTF-8 without white space, fields in this order: `{"version","device","account","counter","revoked":[{"device","by","at"}],
 * "introduced":[{"card","at","to"}]}`.
 */
export function formatDeviceList(list: DeviceList): Uint8Array {
  const { device, account, counter } = list;
  const revoked = list.revoked.map(({ device: each, by, at }) => ({ device: each, by, at }));
  const introduced = list.introduced.map(({ card, at, to }) => ({ card: orderCard(card), at, to }));
  const bytes = utf8(JSON.stringify({ version: DEVICES_VERSION, device, account, counter, revoked, introduced }));
  if (bytes.length + SIGNATURE_BYTES > MAX_LIST_BYTES) throw new Fault('too-large', 'the list of devices that are unpaired or introduced is full');
  return bytes;
}

/** Reads the bytes above, without a signature. @throws InputFault on any other form, Fault `newer-protocol` on a newer version */
export function parseDeviceList(bytes: Uint8Array): DeviceList {
  const { version, device, account, counter, revoked, introduced } = parseJson(bytes);
  if (parseCount(version) > DEVICES_VERSION) {
    throw new Fault('newer-protocol', 'that device speaks a newer version', { remedy: 'update git-xmpp here' });
  }
  const list: DeviceList = {
    device: parseId(device),
    account: parseBareJid(parseText(account)),
    counter: parseCount(counter),
    revoked: parseEach(revoked, MAX_REVOKED, parseRevoked),
    introduced: parseEach(introduced, MAX_INTRODUCED, parseIntroduced),
  };
  checkAscending(list.revoked.map((each) => each.device));
  checkAscending(list.introduced.map(({ card }) => card.device));
  // What is not written as it would be here (another order, a field too many, one that stands twice) is no list.
  if (!equalBytes(formatDeviceList(list), bytes)) throw broken('is not written in its one form');
  return list;
}

/** What tells a device that it was unpaired; readable by the server, for nothing is sealed to that device any more. */
export interface Notice {
  /** Who was unpaired. */
  readonly device: DeviceId;
  /** Who says so. */
  readonly by: DeviceId;
  readonly at: number;
}

/** `{"version","device","by","at"}` as above, then the signature of `by`. */
export function signNotice({ device, by, at }: Notice, keyPem: string): Uint8Array {
  return signStatement(NOTICE_CONTEXT, formatNotice({ device, by, at }), keyPem);
}

/** @returns undefined when its signer is unknown or did not sign this. @throws InputFault, Fault `newer-protocol` */
export function verifyNotice(signed: Uint8Array, pinOf: (device: DeviceId) => string | undefined): Notice | undefined {
  if (signed.length > MAX_NOTICE_BYTES) throw broken(`is larger than ${MAX_NOTICE_BYTES} bytes`);
  const { statement, signature } = splitSigned(signed);
  const { version, device, by, at } = parseJson(statement);
  if (parseCount(version) > DEVICES_VERSION) throw new Fault('newer-protocol', 'that device speaks a newer version');
  const notice = { device: parseId(device), by: parseId(by), at: parseCount(at) };
  if (!equalBytes(formatNotice(notice), statement)) throw broken('is not written in its one form');
  return isGenuine(NOTICE_CONTEXT, { statement, signature }, pinOf(notice.by)) ? notice : undefined;
}

function formatNotice({ device, by, at }: Notice): Uint8Array {
  return utf8(JSON.stringify({ version: DEVICES_VERSION, device, by, at }));
}

function isGenuine(context: Uint8Array, signed: ReturnType<typeof splitSigned>, pin: string | undefined): boolean {
  return pin !== undefined && isSignedBy(concatBytes([context, signed.statement]), signed.signature, pin);
}

function parseRevoked(value: unknown): Revoked {
  const { device, by, at } = parseObject(value);
  return { device: parseId(device), by: parseId(by), at: parseCount(at) };
}

function parseIntroduced(value: unknown): Introduced {
  const { card, at, to } = parseObject(value);
  const audience = parseEach(to, MAX_AUDIENCE, parseId);
  checkAscending(audience);
  const parsed = parseCardFields(card);
  if (parsed.certPem !== undefined) throw broken('introduces with a certificate');
  return { card: parsed, at: parseCount(at), to: audience };
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return parseObject(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch (cause) {
    throw cause instanceof Fault ? cause : broken('is no JSON text', { cause });
  }
}

function parseObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken('holds something other than objects');
  return value as Record<string, unknown>;
}

function parseEach<T>(value: unknown, max: number, parse: (each: unknown) => T): T[] {
  if (!Array.isArray(value) || value.length > max) throw broken(`holds no list of at most ${max}`);
  return value.map((each) => parse(each));
}

function parseText(value: unknown): string {
  if (typeof value !== 'string') throw broken('holds something other than text');
  return value;
}

function parseId(value: unknown): DeviceId {
  return parseDeviceId(parseText(value));
}

function parseCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw broken('holds a number that is no positive integer');
  return value;
}

function checkAscending(devices: readonly DeviceId[]): void {
  if (devices.some((device, index) => index > 0 && device <= (devices[index - 1] ?? ''))) throw broken('names devices twice, or out of order');
}

function broken(why: string, options: FaultOptions = {}): InputFault {
  return new InputFault('device list', why, options);
}
