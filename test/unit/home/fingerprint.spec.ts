// What a public key is called, held against openssl's words for a published key.

import { describe, expect, it } from 'vitest';
import { decodeSpki, deviceIdOf, fingerprintOf } from '../../../src/home/fingerprint.ts';

/** RFC 8410 §10.1. */
const SPKI = 'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=';

describe('decodeSpki', () => {
  it('gives the DER of an Ed25519 key', () => {
    expect(decodeSpki(SPKI)).toHaveLength(44);
  });

  const wrong = ['', 'AAAA', SPKI.slice(0, -1), `${SPKI}\n`, SPKI.replace('MCow', 'MCox'), `${SPKI.slice(0, -4)}ZuEAAA==`];

  it.each(wrong)('refuses "%s"', (text) => {
    expect(() => decodeSpki(text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});

describe('deviceIdOf', () => {
  it('is the first half of what openssl dgst -sha256 says of the key', () => {
    expect(deviceIdOf(SPKI)).toBe('a1e9156054e04fac899ae9f275132cdc');
  });
});

describe('fingerprintOf', () => {
  it('is the device id in eight groups of four', () => {
    expect(fingerprintOf(SPKI)).toBe('a1e9 1560 54e0 4fac 899a e9f2 7513 2cdc');
  });
});
