// A self-signed Ed25519 certificate in DER, which node:crypto cannot make. Follows RFC 5280 §4.1 and RFC 8410.
// Rule: nothing in it tells devices apart but the key: name, serial and dates are constant,
// since the server may read a listener's certificate.

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;

const ED25519_ALGORITHM = encodeDer(SEQUENCE, encodeDer(OBJECT_ID, [0x2b, 0x65, 0x70]));
const COMMON_NAME_ID = encodeDer(OBJECT_ID, [0x55, 0x04, 0x03]);
const COMMON_NAME = 'git-xmpp';
const VERSION_3 = encodeDer(EXPLICIT_0, encodeDer(INTEGER, [2]));
const SERIAL = encodeDer(INTEGER, [1]);
/** RFC 5280 §4.1.2.5: 99991231235959Z is "no expiry"; peers judge the pinned key, never the dates. */
const VALIDITY = encodeDer(
  SEQUENCE,
  encodeDer(GENERALIZED_TIME, Buffer.from('20200101000000Z')),
  encodeDer(GENERALIZED_TIME, Buffer.from('99991231235959Z')),
);

/**
 * The certificate in PEM.
 * @param spki the public key, DER
 * @param sign makes the Ed25519 signature with the private key
 */
export function formatCertificate(spki: Uint8Array, sign: (bytes: Uint8Array) => Uint8Array): string {
  const commonName = encodeDer(SEQUENCE, COMMON_NAME_ID, encodeDer(UTF8_STRING, Buffer.from(COMMON_NAME)));
  const name = encodeDer(SEQUENCE, encodeDer(SET, commonName));
  const body = encodeDer(SEQUENCE, VERSION_3, SERIAL, ED25519_ALGORITHM, name, VALIDITY, name, spki);
  const der = encodeDer(SEQUENCE, body, ED25519_ALGORITHM, encodeDer(BIT_STRING, [0], sign(body)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Tag, length and content (X.690 §8.1); content up to 65 535 bytes. */
function encodeDer(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), content]);
}
