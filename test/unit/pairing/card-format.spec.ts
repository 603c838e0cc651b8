import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import { formatCertificate } from '../../../src/home/certificate-format.ts';
import { formatCard, parseCard } from '../../../src/pairing/card-format.ts';
import { SHOWER_CARD, TYPER_CARD } from '../../helpers/pairing.ts';

const CARD = SHOWER_CARD;
const LONG_KEY = Buffer.concat([Buffer.from(CARD.spki, 'base64'), Buffer.alloc(1)]).toString('base64');
const withFields = (changes: object): Uint8Array => utf8(JSON.stringify({ ...CARD, ...changes }));

describe('formatCard', () => {
  it('writes what parseCard reads', () => {
    expect(parseCard(formatCard(CARD))).toEqual(CARD);
  });

  it('refuses a card that the other side would refuse', () => {
    expect(() => formatCard({ ...CARD, name: '' })).toThrow(InputFault);
  });
});

describe('parseCard', () => {
  it.each([
    ['a device id of another key', { device: TYPER_CARD.device }],
    ['a key that is not its own', { spki: TYPER_CARD.spki }],
    ['a key of another kind', { spki: Buffer.alloc(44).toString('base64') }],
    ['a key with a byte too many', { spki: LONG_KEY }],
    ['a key in loose base64', { spki: ` ${CARD.spki}` }],
    ['a name of two lines', { name: 'a\nb' }],
    ['a name that turns the text around', { name: 'a\u202eb' }],
    ['a name with an escape', { name: 'a\u001b[31m' }],
    ['a name with space around it', { name: ' a' }],
    ['a name too long', { name: 'x'.repeat(65) }],
    ['a name that is no text', { name: 5 }],
    ['a recipient of another kind', { recipient: 'ssh-ed25519 AAAA' }],
    ['an account that is not that of its address', { jid: 'eve@example.net' }],
    ['an account in capitals', { jid: 'Anna@example.org' }],
    ['an address without resource', { address: CARD.jid }],
    ['version 0', { version: 0 }],
    ['a version that is no number', { version: '1' }],
    ['a field too many', { admin: true }],
    ['a field missing', { recipient: undefined }],
    ['a certificate that is none', { certPem: 'x' }],
  ])('refuses %s', (_name, changes) => {
    expect(() => parseCard(withFields(changes))).toThrow(InputFault);
  });

  it.each([
    ['no JSON', utf8('{')],
    ['a list', utf8('[]')],
    ['null', utf8('null')],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['too much', new Uint8Array(7000).fill(0x20)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseCard(bytes)).toThrow(InputFault);
  });

  it('takes a name in any script', () => {
    expect(parseCard(withFields({ name: 'Annas Gerät 💻' })).name).toBe('Annas Gerät 💻');
  });

  it('takes the certificate of its own key and no other', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const device = parseDeviceId(createHash('sha256').update(der).digest('hex').slice(0, 32));
    const certPem = formatCertificate(der, (bytes) => sign(null, bytes, privateKey));
    const card = { ...CARD, device, spki: der.toString('base64'), certPem };
    expect(parseCard(formatCard(card))).toEqual(card);
    expect(() => parseCard(withFields({ certPem }))).toThrow(/certificate/);
  });
});
