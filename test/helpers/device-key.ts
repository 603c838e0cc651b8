// A device's key for specs that sign. Rule: a real Ed25519 pair, made anew.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { parseDeviceId } from '../../src/lib/names.ts';
import type { DeviceId } from '../../src/lib/names.ts';

export interface DeviceKey {
  readonly device: DeviceId;
  readonly keyPem: string;
  /** Base64 of SPKI in DER. */
  readonly spki: string;
}

export function makeDeviceKey(): DeviceKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    device: parseDeviceId(createHash('sha256').update(der).digest('hex').slice(0, 32)),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: der.toString('base64'),
  };
}
