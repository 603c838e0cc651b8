// What a device proves itself with, for specs of links. Rule: the key and certificate that the agent itself would make.

import { createPrivateKey, sign } from 'node:crypto';
import { formatCertificate } from '../../src/home/certificate-format.ts';
import type { Credentials } from '../../src/link/secure.ts';
import { makeDeviceKey } from './device-key.ts';
import type { DeviceKey } from './device-key.ts';

export type LinkDevice = DeviceKey & Credentials;

export function makeLinkDevice(): LinkDevice {
  const key = makeDeviceKey();
  const privateKey = createPrivateKey(key.keyPem);
  return { ...key, certPem: formatCertificate(Buffer.from(key.spki, 'base64'), (bytes) => sign(null, bytes, privateKey)) };
}
