// This device's keys. Rule: what is made is used as its readers use it: TLS's certificate, signatures, age.

import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Decrypter, Encrypter } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { deviceIdOf, loadIdentity, renewIdentity, setDeviceName } from '../../../src/home/identity.ts';
import { makeHome, modeOf } from '../../helpers/home.ts';

describe('loadIdentity', () => {
  it('makes keys that fit together, and a certificate that is valid and says nothing', async () => {
    const identity = await loadIdentity(await makeHome(), { name: ' Laptop ' });
    const certificate = new X509Certificate(identity.certPem);
    const key = createPrivateKey(identity.keyPem);
    expect(identity.name).toBe('Laptop');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect([certificate.subject, certificate.issuer]).toEqual(['CN=git-xmpp', 'CN=git-xmpp']);
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')).toBe(identity.spki);
    expect(verify(null, Buffer.from('text'), createPublicKey(key), sign(null, Buffer.from('text'), identity.keyPem))).toBe(true);
    expect(identity.device).toBe(deviceIdOf(identity.spki));
    expect(identity.resource).toMatch(/^git-xmpp-[a-z2-7]{8}$/);
  });

  it('makes an age identity that opens what is sealed to its recipient', async () => {
    const identity = await loadIdentity(await makeHome(), { name: 'laptop' });
    const encrypter = new Encrypter();
    encrypter.addRecipient(identity.ageRecipient);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity.ageIdentity);
    expect(await decrypter.decrypt(await encrypter.encrypt('sealed'), 'text')).toBe('sealed');
  });

  it('gives the same one ever after, whatever name it is called with', async () => {
    const home = await makeHome();
    const first = await loadIdentity(home, { name: 'laptop' });
    expect(await loadIdentity(home, { name: 'desktop' })).toEqual(first);
  });

  it('gives two homes nothing in common but the names', async () => {
    const [a, b] = await Promise.all([makeHome(), makeHome()].map(async (home) => loadIdentity(await home, { name: 'laptop' })));
    for (const field of ['device', 'resource', 'keyPem', 'certPem', 'spki', 'ageIdentity', 'ageRecipient'] as const) {
      expect(a?.[field]).not.toBe(b?.[field]);
    }
  });

  it('makes one for all who ask first at the same time', async () => {
    const home = await makeHome();
    const identities = await Promise.all(Array.from({ length: 6 }, () => loadIdentity(home, { name: 'laptop' })));
    expect(new Set(identities.map(({ device }) => device)).size).toBe(1);
    expect(await loadIdentity(home, { name: 'laptop' })).toEqual(identities[0]);
  });

  it('keeps its one file to its owner', async () => {
    const home = await makeHome();
    await loadIdentity(home, { name: 'laptop' });
    expect(readdirSync(home.identity)).toEqual(['device.json']);
    expect(modeOf(join(home.identity, 'device.json'))).toBe(0o600);
  });

  it('refuses a truncated file by name and makes no new key in its place', async () => {
    const home = await makeHome();
    const { keyPem } = await loadIdentity(home, { name: 'laptop' });
    const path = join(home.identity, 'device.json');
    truncateSync(path, 300);
    const error: unknown = await loadIdentity(home, { name: 'laptop' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    expect(inspect(error)).not.toContain(keyPem.split('\n')[1]);
    expect(readFileSync(path)).toHaveLength(300);
  });

  it.each([
    ['version', 2],
    ['name', ''],
    ['resource', 'phone'],
    ['keyPem', 'no key'],
    ['certPem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['ageIdentity', 'AGE-SECRET-KEY-1secret'],
    ['ageIdentity', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`],
    ['extra', true],
  ])('names a wrong %s and quotes no secret', async (field, value) => {
    const home = await makeHome();
    await loadIdentity(home, { name: 'laptop' });
    const path = join(home.identity, 'device.json');
    const stored: object = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...stored, [field]: value }));
    const error: unknown = await loadIdentity(home, { name: 'laptop' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad-config', message: expect.stringContaining(`${path}: identity.${field}: `) });
    if (field === 'ageIdentity') expect(inspect(error)).not.toContain('AGE-SECRET');
  });

  it('refuses the certificate of another key', async () => {
    const [home, other] = [await makeHome(), await makeHome()];
    await loadIdentity(home, { name: 'laptop' });
    const { certPem } = await loadIdentity(other, { name: 'laptop' });
    const path = join(home.identity, 'device.json');
    const stored: object = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...stored, certPem }));
    await expect(loadIdentity(home, { name: 'laptop' })).rejects.toThrow('is not the certificate of identity.keyPem');
  });
});

describe('setDeviceName', () => {
  it('changes the name and nothing else', async () => {
    const home = await makeHome();
    const before = await loadIdentity(home, { name: 'laptop' });
    await setDeviceName(home, 'Küche');
    expect(await loadIdentity(home, { name: 'laptop' })).toEqual({ ...before, name: 'Küche' });
  });

  it('refuses a name that could disguise itself, and a home without an identity', async () => {
    const home = await makeHome();
    await expect(setDeviceName(home, 'laptop')).rejects.toMatchObject({ code: 'bad-config' });
    await loadIdentity(home, { name: 'laptop' });
    for (const name of ['', '  ', 'a\nb', '\u001b[31mred', 'lap\u202Epot', 'x'.repeat(65)]) {
      await expect(setDeviceName(home, name)).rejects.toMatchObject({ code: 'bad-input' });
    }
  });
});

describe('renewIdentity', () => {
  it('makes a new key under the old name, and leaves nothing of the old one', async () => {
    const home = await makeHome();
    const before = await loadIdentity(home, { name: 'laptop' });
    await renewIdentity(home);
    const after = await loadIdentity(home, { name: 'unused' });
    expect(after.name).toBe('laptop');
    for (const key of ['device', 'resource', 'keyPem', 'certPem', 'ageIdentity', 'ageRecipient'] as const) expect(after[key]).not.toBe(before[key]);
  });

  it('renews nothing where there is nothing yet', async () => {
    await expect(renewIdentity(await makeHome())).rejects.toMatchObject({ code: 'bad-config' });
  });
});
