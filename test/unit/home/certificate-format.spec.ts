// A certificate in DER, read back by OpenSSL through node:crypto, and used by node:tls.

import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatCertificate } from '../../../src/home/certificate-format.ts';

function makeCertificate(): { readonly key: string; readonly cert: string; readonly spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const cert = formatCertificate(spki, (bytes) => sign(null, bytes, privateKey));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert, spki };
}

describe('formatCertificate', () => {
  it('is a certificate of the key, signed by itself, that does not expire', () => {
    const { cert, spki } = makeCertificate();
    const read = new X509Certificate(cert);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.publicKey.export({ type: 'spki', format: 'der' })).toEqual(spki);
    expect([read.subject, read.issuer, read.serialNumber]).toEqual(['CN=git-xmpp', 'CN=git-xmpp', '01']);
    expect([read.validFrom, read.validTo]).toEqual(['Jan  1 00:00:00 2020 GMT', 'Dec 31 23:59:59 9999 GMT']);
  });

  it('serves both ends of TLS 1.3', async () => {
    const [listener, dialler] = [makeCertificate(), makeCertificate()];
    const options = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
    const server = createServer({ ...options, key: listener.key, cert: listener.cert });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const accepted = once(server, 'secureConnection');
    const client = connect({ ...options, host: '127.0.0.1', port: port ?? 0, key: dialler.key, cert: dialler.cert });
    await once(client, 'secureConnect');
    const [peer] = await accepted;
    expect(client.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })).toEqual(listener.spki);
    expect(peer.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' })).toEqual(dialler.spki);
    client.destroy();
    peer.destroy();
  });
});
