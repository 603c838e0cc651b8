// What a device's public key is called. Follows RFC 8410 (Ed25519 in SPKI) and SHA-256.
// Rule: device id and fingerprint are the same 128 bits, so what people compare is what the agent checks.

import { createHash } from 'node:crypto';
import { decodeBase64 } from '../lib/base64.ts';
import { InputFault } from '../lib/errors.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';

/** DER of SubjectPublicKeyInfo up to the 32 bytes of an Ed25519 key (RFC 8410 §4). */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The public key in `spkiBase64`, DER. @throws InputFault when it is no Ed25519 key in canonical base64 */
export function decodeSpki(spkiBase64: string): Uint8Array {
  const der = decodeBase64(spkiBase64, 64);
  if (der.length !== ED25519_SPKI.length + 32 || !ED25519_SPKI.equals(der.subarray(0, ED25519_SPKI.length))) {
    throw new InputFault('public key', 'is no Ed25519 key (SPKI)');
  }
  return der;
}

/** The id of the device that owns the key. @throws InputFault as decodeSpki */
export function deviceIdOf(spkiBase64: string): DeviceId {
  return parseDeviceId(createHash('sha256').update(decodeSpki(spkiBase64)).digest('hex').slice(0, 32));
}

/** The same for people: eight groups of four digits. @throws InputFault as decodeSpki */
export function fingerprintOf(spkiBase64: string): string {
  return deviceIdOf(spkiBase64).replace(/.{4}(?!$)/g, '$& ');
}
