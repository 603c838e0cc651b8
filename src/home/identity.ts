// What makes this device itself: an Ed25519 key and its certificate, an age identity (age-encryption.org/v1), a name, a resource.
// Rule: made once, whole, in one file; only the name ever changes.

import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { encodeBase64 } from '../lib/base64.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';
import { formatCertificate } from './certificate-format.ts';
import { parseDeviceName } from './device-name-format.ts';
import { Fields } from './fields-format.ts';
import { deviceIdOf } from './fingerprint.ts';
import type { Home } from './paths.ts';
import { createPrivateFile } from './private-file.ts';
import { StateFile } from './state.ts';

export { deviceIdOf, fingerprintOf } from './fingerprint.ts';

export interface Identity {
  readonly device: DeviceId;
  /** What its owner calls it. */
  readonly name: string;
  /** `git-xmpp-` and 8 characters: a new one at each sign-in would leave ghosts that swallow IQs. */
  readonly resource: string;
  readonly keyPem: string;
  readonly certPem: string;
  /** Public key: SPKI, DER, base64. */
  readonly spki: string;
  /** Secret: `AGE-SECRET-KEY-1…`. */
  readonly ageIdentity: string;
  /** Public: `age1…`. */
  readonly ageRecipient: string;
}

interface StoredIdentity {
  readonly version: 1;
  readonly name: string;
  readonly resource: string;
  readonly keyPem: string;
  readonly certPem: string;
  readonly ageIdentity: string;
}

/**
 * This device's identity; made when there is none, by one caller of any number at the same time.
 * @param options.name the new device's name, unused when there is one
 * @throws Fault `bad-config` when the file is damaged; a new key is never made in its place
 */
export async function loadIdentity(home: Home, options: { readonly name: string }): Promise<Identity> {
  const stored = (await identityFile(home).read()) ?? (await createIdentity(home, options.name));
  const key = createPrivateKey(stored.keyPem);
  const spki = spkiOf(key);
  const ageRecipient = await recipientOf(home, stored.ageIdentity);
  const { name, resource, keyPem, certPem, ageIdentity } = stored;
  return { device: deviceIdOf(spki), name, resource, keyPem, certPem, spki, ageIdentity, ageRecipient };
}

/** @throws InputFault; Fault `bad-config` when there is no identity yet */
export async function setDeviceName(home: Home, name: string): Promise<void> {
  const file = identityFile(home);
  const stored = await file.read();
  if (stored === undefined) throw new Fault('bad-config', `${pathOf(home)} does not exist`, { remedy: 'start the agent once' });
  await file.write({ ...stored, name: parseDeviceName(name) });
}

/** A new key, under the old name: the old one is gone for good. @throws Fault `disk-full`, `permissions`; the old one then stands */
export async function renewIdentity(home: Home): Promise<void> {
  const file = identityFile(home);
  const stored = await file.read();
  if (stored === undefined) throw new Fault('bad-config', `${pathOf(home)} does not exist`, { remedy: 'start the agent once' });
  await file.write(await makeIdentity(stored.name));
}

function pathOf(home: Home): string {
  return join(home.identity, 'device.json');
}

function identityFile(home: Home): StateFile<StoredIdentity | undefined> {
  return new StateFile(pathOf(home), parseStored, () => undefined);
}

async function makeIdentity(name: string): Promise<StoredIdentity> {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    version: 1,
    name: parseDeviceName(name),
    resource: makeResource(),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certPem: formatCertificate(Buffer.from(spkiOf(privateKey), 'base64'), (bytes) => sign(null, bytes, privateKey)),
    ageIdentity: await generateX25519Identity(),
  };
}

async function createIdentity(home: Home, name: string): Promise<StoredIdentity> {
  const stored = await makeIdentity(name);
  if (await createPrivateFile(pathOf(home), `${JSON.stringify(stored, null, 2)}\n`)) return stored;
  const winner = await identityFile(home).read();
  if (winner === undefined) throw new Fault('internal', `${pathOf(home)} vanished while it was read`);
  return winner;
}

function makeResource(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  return `git-xmpp-${Array.from(randomBytes(8), (byte) => alphabet[byte % 32]).join('')}`;
}

function spkiOf(key: KeyObject): string {
  return encodeBase64(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}

async function recipientOf(home: Home, ageIdentity: string): Promise<string> {
  try {
    return await identityToRecipient(ageIdentity);
  } catch {
    // The library's message may quote the secret.
    throw new Fault('bad-config', `${pathOf(home)}: identity.ageIdentity: is no age identity`);
  }
}

const CERTIFICATE = /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/;

/** No error of this may quote a value: half of them are secrets. */
function parseStored(value: unknown): StoredIdentity {
  const fields = new Fields(value, 'identity');
  if (fields.count('version') !== 1) throw new InputFault('identity.version', 'is not 1');
  const stored: StoredIdentity = {
    version: 1,
    name: fields.text('name', parseDeviceName),
    resource: fields.text('resource', (text) => parseShape(text, /^git-xmpp-[a-z2-7]{8}$/)),
    keyPem: fields.text('keyPem', parseKey),
    certPem: fields.text('certPem', (text) => parseShape(text, CERTIFICATE)),
    ageIdentity: fields.text('ageIdentity', (text) => parseShape(text, /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/)),
  };
  fields.end();
  if (!isCertificateOf(stored)) throw new InputFault('identity.certPem', 'is not the certificate of identity.keyPem');
  return stored;
}

function parseShape(text: string, shape: RegExp): string {
  if (!shape.test(text)) throw new InputFault('text', 'has not the form that was written');
  return text;
}

function parseKey(text: string): string {
  try {
    if (createPrivateKey(text).asymmetricKeyType === 'ed25519') return text;
  } catch {
    // Said below: the message of node:crypto tells a person nothing.
  }
  throw new InputFault('key', 'is no Ed25519 private key');
}

function isCertificateOf({ certPem, keyPem }: StoredIdentity): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}
