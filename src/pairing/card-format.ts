// The card a device hands over at pairing, sealed: who it is, its public key, its age recipient, where it can be reached.
// Rule: strict JSON with exactly these fields; the device id must be the hash of the public key, the account that of the address.

import { X509Certificate, createHash } from 'node:crypto';
import { decodeBase64 } from '../lib/base64.ts';
import { utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import type { FaultOptions } from '../lib/errors.ts';
import { bareOf, parseBareJid, parseFullJid } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';

/** Length in bytes of the largest card. */
export const MAX_CARD_BYTES = 6144;
const MAX_CERT_LENGTH = 2048;

export interface DeviceCard {
  readonly device: DeviceId;
  /** The device's name as its owner gave it; for people. */
  readonly name: string;
  /** Ed25519 public key: base64 of its SPKI in DER. */
  readonly spki: string;
  /** The certificate it presents; its key is `spki`. */
  readonly certPem?: string;
  /** age X25519 recipient, `age1…`. */
  readonly recipient: string;
  readonly jid: BareJid;
  /** Where its agent was signed in while pairing. */
  readonly address: FullJid;
  /** Highest protocol version the device speaks. */
  readonly version: number;
}

const FIELDS = ['device', 'name', 'spki', 'certPem', 'recipient', 'jid', 'address', 'version'] as const;
/** RFC 8410 §4: what stands before the 32 bytes of every Ed25519 key. */
const ED25519_PREFIX = '302a300506032b6570032100';
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
/** No control characters, line or paragraph breaks, and nothing that turns the direction of a terminal's text. */
const NAME = /^(?!\s)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,64}(?<!\s)$/u;

/** The card as bytes, fields in fixed order. @throws InputFault when it is none that the other side would take */
export function formatCard(card: DeviceCard): Uint8Array {
  const bytes = utf8(JSON.stringify(orderCard(card)));
  parseCard(bytes);
  return bytes;
}

/** The card's fields in the order in which they are written. */
export function orderCard(card: DeviceCard): Readonly<Record<string, unknown>> {
  return Object.fromEntries(FIELDS.map((field) => [field, card[field]]));
}

/** @throws InputFault naming the first field that is wrong */
export function parseCard(bytes: Uint8Array): DeviceCard {
  if (bytes.length > MAX_CARD_BYTES) throw broken(`is larger than ${MAX_CARD_BYTES} bytes`);
  return parseCardFields(parseJson(bytes));
}

/** A card that JSON holds. @throws InputFault as `parseCard` */
export function parseCardFields(value: unknown): DeviceCard {
  const fields = parseFields(value);
  const spki = parseSpki(textOf(fields, 'spki'));
  const address = parseFullJid(textOf(fields, 'address'));
  const certPem = fields['certPem'] === undefined ? {} : { certPem: parseCertificate(textOf(fields, 'certPem'), spki) };
  return {
    device: parseOwnDeviceId(textOf(fields, 'device'), spki),
    name: parseDeviceName(textOf(fields, 'name')),
    spki,
    ...certPem,
    recipient: parseRecipient(textOf(fields, 'recipient')),
    jid: parseAccount(textOf(fields, 'jid'), address),
    address,
    version: parseVersion(fields['version']),
  };
}

function parseFields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken('is no JSON object');
  const unknown = Object.keys(value).find((key) => !FIELDS.some((field) => field === key));
  if (unknown !== undefined) throw broken('holds a field that this version does not know');
  return value as Record<string, unknown>;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw broken('is no JSON text', { cause });
  }
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw broken(`its ${name} is no text`);
  return value;
}

function parseSpki(text: string): string {
  const der = Buffer.from(decodeBase64(text, 44));
  if (der.length !== 44 || !der.toString('hex').startsWith(ED25519_PREFIX)) throw broken('its key is no Ed25519 key');
  return text;
}

function parseOwnDeviceId(text: string, spki: string): DeviceId {
  const hash = createHash('sha256').update(decodeBase64(spki)).digest('hex');
  if (text !== hash.slice(0, 32)) throw broken('its device id does not belong to its key');
  return parseDeviceId(text);
}

function parseDeviceName(text: string): string {
  if (!NAME.test(text) || text !== text.normalize('NFC')) {
    throw broken('its name is not one line of 1 to 64 characters');
  }
  return text;
}

function parseCertificate(pem: string, spki: string): string {
  if (pem.length > MAX_CERT_LENGTH || keyOfCertificate(pem) !== spki) throw broken('its certificate is not for its key');
  return pem;
}

function keyOfCertificate(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  } catch {
    return undefined;
  }
}

function parseRecipient(text: string): string {
  if (!RECIPIENT.test(text)) throw broken('its age recipient is none');
  return text;
}

function parseAccount(text: string, address: FullJid): BareJid {
  const jid = parseBareJid(text);
  if (jid !== text || jid !== bareOf(address)) throw broken('its account is not that of its address');
  return jid;
}

function parseVersion(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 0xffff) {
    throw broken('its version is no number from 1 to 65535');
  }
  return value;
}

function broken(why: string, options: FaultOptions = {}): InputFault {
  return new InputFault('device card', why, options);
}
