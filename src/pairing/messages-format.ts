// The payloads of pairing's IQs: `<pair xmlns='urn:git-xmpp:pair:1' step='hello|share|confirm' …/>` (PROTOCOL.md, "Pairing").
// Rule: strict and bounded; only a newer version's hello may hold more than is known here, and only its version and id are read.

import { Element } from 'ltx';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { InputFault } from '../lib/errors.ts';
import { SHARE_BYTES } from './cpace.ts';
import { NONCE_BYTES, PAIRING_VERSION, TAG_BYTES } from './exchange.ts';
import { MAX_CARD_BYTES } from './card-format.ts';
import { SEAL_BYTES } from './sealing.ts';

/** Ours; spelled out here because adapters lie above this folder. */
export const NS_PAIR = 'urn:git-xmpp:pair:1';

export interface HelloMessage {
  readonly type: 'hello';
  readonly version: number;
  /** The code's number or the invite's lookup id; only the typer's hello has it. */
  readonly id?: string;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
}

/** A hello in a version that is not known here; of the rest only its id is read. */
export interface NewerHelloMessage {
  readonly type: 'newer-hello';
  readonly version: number;
  readonly id?: string;
}

export interface ShareMessage {
  readonly type: 'share';
  /** 32 bytes; whether they are a point is for cpace.ts to say. */
  readonly share: Uint8Array;
}

export interface ConfirmMessage {
  readonly type: 'confirm';
  /** 32 bytes. */
  readonly tag: Uint8Array;
  /** A device card under the sender's key. */
  readonly sealed: Uint8Array;
}

export type PairingMessage = HelloMessage | NewerHelloMessage | ShareMessage | ConfirmMessage;

/** What this version itself sends. */
export type OutgoingPairingMessage = HelloMessage | ShareMessage | ConfirmMessage;

const MAX_SEALED_BYTES = MAX_CARD_BYTES + SEAL_BYTES;

export function formatPairingMessage(message: OutgoingPairingMessage): Element {
  if (message.type === 'share') return pair('share').t(encodeBase64(message.share));
  if (message.type === 'confirm') return pair('confirm', { tag: encodeBase64(message.tag) }).t(encodeBase64(message.sealed));
  const id = message.id === undefined ? {} : { id: message.id };
  return pair('hello', { version: String(message.version), ...id, nonce: encodeBase64(message.nonce) });
}

/** @throws InputFault on anything but the forms above */
export function parsePairingMessage(element: Element): PairingMessage {
  if (element.name !== 'pair' || element.attrs['xmlns'] !== NS_PAIR) throw broken(`is no <pair/> of ${NS_PAIR}`);
  const step = attributeOf(element, 'step');
  if (step === 'hello') return parseHello(element);
  if (step === 'share') return parseShare(element);
  if (step === 'confirm') return parseConfirm(element);
  throw broken('is none of hello, share and confirm');
}

function parseHello(element: Element): PairingMessage {
  const version = parseVersion(attributeOf(element, 'version'));
  const id = element.attrs['id'] === undefined ? {} : { id: parseId(attributeOf(element, 'id')) };
  if (version > PAIRING_VERSION) return { type: 'newer-hello', version, ...id };
  checkForm(element, { attributes: ['version', 'nonce', 'id'], hasText: false });
  const nonce = parseBytes(attributeOf(element, 'nonce'), { what: 'nonce', min: NONCE_BYTES, max: NONCE_BYTES });
  return { type: 'hello', version, ...id, nonce };
}

function parseShare(element: Element): ShareMessage {
  checkForm(element, { attributes: [], hasText: true });
  return { type: 'share', share: parseBytes(element.getText(), { what: 'share', min: SHARE_BYTES, max: SHARE_BYTES }) };
}

function parseConfirm(element: Element): ConfirmMessage {
  checkForm(element, { attributes: ['tag'], hasText: true });
  return {
    type: 'confirm',
    tag: parseBytes(attributeOf(element, 'tag'), { what: 'tag', min: TAG_BYTES, max: TAG_BYTES }),
    sealed: parseBytes(element.getText(), { what: 'sealed card', min: SEAL_BYTES + 1, max: MAX_SEALED_BYTES }),
  };
}

function parseVersion(text: string): number {
  const version = Number(text);
  if (!/^[1-9]\d{0,4}$/.test(text) || version > 0xffff) throw broken('its version is no number from 1 to 65535');
  return version;
}

function parseId(text: string): string {
  if (!/^(?:[1-9]\d{0,3}|[0-9a-f]{32})$/.test(text)) throw broken('its id is neither a number nor an invite’s');
  return text;
}

function parseBytes(text: string, expected: { readonly what: string; readonly min: number; readonly max: number }): Uint8Array {
  const bytes = decodeBase64(text, expected.max);
  if (bytes.length < expected.min) throw broken(`its ${expected.what} is too short`);
  return bytes;
}

function attributeOf(element: Element, name: string): string {
  const value: unknown = element.attrs[name];
  if (typeof value !== 'string') throw broken(`has no ${name}`);
  return value;
}

function checkForm(element: Element, form: { readonly attributes: readonly string[]; readonly hasText: boolean }): void {
  const known = ['xmlns', 'step', ...form.attributes];
  if (Object.keys(element.attrs).some((name) => !known.includes(name))) throw broken('has an attribute too many');
  const isPlain = element.children.every((child) => typeof child === 'string');
  if (!isPlain || (!form.hasText && element.children.length > 0)) throw broken('holds what it should not');
}

function pair(step: OutgoingPairingMessage['type'], attributes: Readonly<Record<string, string>> = {}): Element {
  return new Element('pair', { xmlns: NS_PAIR, step, ...attributes });
}

function broken(why: string): InputFault {
  return new InputFault('pairing message', why);
}
