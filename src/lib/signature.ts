// Ed25519 signatures of devices (RFC 8032). Rule: every kind of statement has a context string of its own, so that no signature can stand
// under anything but what was signed.

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { decodeBase64 } from './base64.ts';
import { concatBytes } from './bytes.ts';

/** Length in bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** `statement`, then the signature over `context` and it. @param keyPem the device's private key, PKCS #8 */
export function signStatement(context: Uint8Array, statement: Uint8Array, keyPem: string): Uint8Array {
  return concatBytes([statement, sign(null, concatBytes([context, statement]), createPrivateKey(keyPem))]);
}

/** What `signStatement` joined: nothing is checked here. */
export function splitSigned(signed: Uint8Array): { readonly statement: Uint8Array; readonly signature: Uint8Array } {
  const end = Math.max(0, signed.length - SIGNATURE_BYTES);
  return { statement: signed.subarray(0, end), signature: signed.subarray(end) };
}

/** Whether `signature` is Ed25519 over `text` by the key `spkiBase64` (base64 of SPKI in DER). */
export function isSignedBy(text: Uint8Array, signature: Uint8Array, spkiBase64: string): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(decodeBase64(spkiBase64, 64)), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, text, key, signature);
  } catch {
    return false;
  }
}
