import { describe, expect, it } from 'vitest';
import { ScramExchange } from '../../../src/xmpp/scram.ts';

const SHA1 = {
  hash: 'sha1',
  username: 'user',
  password: 'pencil',
  nonce: 'fyko+d2lbbFgONRv9qkxdawL',
  binding: { flag: 'n' },
} as const;
const SHA1_SERVER = 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096';
const SHA256 = {
  hash: 'sha256',
  username: 'user',
  password: 'pencil',
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  binding: { flag: 'n' },
} as const;
const SHA256_SERVER = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';

describe('ScramExchange', () => {
  it('says what RFC 5802 §5 says', async () => {
    const exchange = new ScramExchange(SHA1);
    expect(exchange.first()).toBe('n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL');
    expect(await exchange.final(SHA1_SERVER)).toBe(
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    );
    exchange.verify('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=');
    expect(exchange.isVerified).toBe(true);
  });

  it('says what RFC 7677 §3 says', async () => {
    const exchange = new ScramExchange(SHA256);
    expect(await exchange.final(SHA256_SERVER)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    exchange.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(exchange.isVerified).toBe(true);
  });

  it.each([
    ['v=smF9pqV8S7suAoZWja4dJRkFsKQ=', 'impostor'],
    ['v=rmF9pqV8S7suAoZWja4dJRkFsKU=', 'impostor'],
    ['v=rmF9pqV8S7suAoZWja4dJRkFsKR=', 'base64'],
    ['v=AAAA', 'impostor'],
    ['e=other-error', 'impostor'],
    ['', 'impostor'],
  ])('refuses the server signature "%s"', async (final, words) => {
    const exchange = new ScramExchange(SHA1);
    await exchange.final(SHA1_SERVER);
    expect(() => exchange.verify(final)).toThrow(words);
    expect(exchange.isVerified).toBe(false);
  });

  it('believes no signature before it has given its own proof', () => {
    expect(() => new ScramExchange(SHA1).verify('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')).toThrow('impostor');
  });

  it.each([
    ['of another client', 'r=xyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4096', 'does not answer the nonce'],
    ['with nothing added', 'r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096', 'does not answer the nonce'],
    ['with too few rounds', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4095', '4095 rounds'],
    ['with too many rounds', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=1000001', '1000001 rounds'],
    ['with an unknown mandatory part', 'm=x,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096', 'not of RFC 5802'],
    ['with a broken salt', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=Q=X=,i=4096', 'base64'],
  ])('refuses a challenge %s', async (_what, challenge, words) => {
    await expect(new ScramExchange(SHA1).final(challenge)).rejects.toThrow(words);
  });

  it('escapes the name, and prepares name and password alike for every keyboard', async () => {
    const composed = new ScramExchange({ ...SHA256, username: 'a=b,c', password: 'I\u00adX \u00e9' });
    const decomposed = new ScramExchange({ ...SHA256, username: 'a=b,c', password: 'IX\u00a0e\u0301' });
    expect(composed.first()).toBe('n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO');
    expect(await composed.final(SHA256_SERVER)).toBe(await decomposed.final(SHA256_SERVER));
  });

  it('puts the key of the TLS session into what it signs', async () => {
    const bound = new ScramExchange({ ...SHA256, binding: { flag: 'p', data: new Uint8Array(32).fill(7) } });
    expect(bound.first()).toMatch(/^p=tls-exporter,,n=user/);
    const [c = ''] = (await bound.final(SHA256_SERVER)).split(',');
    expect(Buffer.from(c.slice(2), 'base64')).toEqual(Buffer.concat([Buffer.from('p=tls-exporter,,'), Buffer.alloc(32, 7)]));
  });
});
