// Cards under lock: ChaCha20-Poly1305 (RFC 8439) with a key of one role and one try.
// Rule: each key seals exactly one text, which is why its nonce may be zero.

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from '../lib/bytes.ts';
import { Fault } from '../lib/errors.ts';

const ALGORITHM = 'chacha20-poly1305';
const NONCE = new Uint8Array(12);
/** Bytes that sealing adds. */
export const SEAL_BYTES = 16;

/** Seals `text`; the 16-byte authenticator stands at the end. */
export function sealOnce(key: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = createCipheriv(ALGORITHM, key, NONCE, { authTagLength: SEAL_BYTES });
  return concatBytes([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Fault `bad-code` when it was sealed under another key, or touched on its way */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = Math.max(0, sealed.length - SEAL_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, key, NONCE, { authTagLength: SEAL_BYTES });
    decipher.setAuthTag(sealed.subarray(end));
    return concatBytes([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch (cause) {
    throw new Fault('bad-code', 'what the other device sealed cannot be opened', { cause });
  }
}
