// Base64 as RFC 4648 §4 has it. Rule: base64-js takes garbage without a word, so what comes in is checked first (XEP-0047 §6).

import { fromByteArray, toByteArray } from 'base64-js';
import { InputFault } from './errors.ts';

const CANONICAL = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** Bytes as padded base64, with no white space. */
export function encodeBase64(bytes: Uint8Array): string {
  return fromByteArray(bytes);
}

/**
 * Bytes of a canonical base64 text.
 * @param maxBytes a longer text is refused before it is decoded
 * @throws InputFault on a character outside the alphabet, wrong padding, or too much
 */
export function decodeBase64(text: string, maxBytes = 1 << 20): Uint8Array {
  if (text.length > Math.ceil(maxBytes / 3) * 4) throw new InputFault('base64', `holds more than ${maxBytes} bytes`);
  if (!CANONICAL.test(text)) throw new InputFault('base64', 'is not canonical RFC 4648 text');
  const bytes = toByteArray(text);
  if (bytes.length > maxBytes) throw new InputFault('base64', `holds more than ${maxBytes} bytes`);
  return bytes;
}
