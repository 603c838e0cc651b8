// TLS 1.3 between two devices over any byte stream; both present their device certificate (docs/PROTOCOL.md, "TLS").
// Rule: no byte of a request passes before the other's public key has been compared with the pin.

import tls from 'node:tls';
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Fault } from '../lib/errors.ts';

/** What a device proves itself with. */
export interface Credentials {
  readonly keyPem: string;
  readonly certPem: string;
}

/** A finished handshake: the stream inside, who is at its other end, and the key that resumes its pipe. */
export interface SecureStream {
  readonly stream: tls.TLSSocket;
  /** The other's public key, base64 of its SPKI in DER. */
  readonly spki: string;
  /** 32 bytes of TLS exporter (RFC 8446 §7.5), the same on both sides. */
  readonly resumeKey: Uint8Array;
}

const EXPORTER_LABEL = 'EXPORTER-git-xmpp-pipe';
/** A session ticket would resume without a new check of the pin, and costs half of the handshake's bytes. */
const OPTIONS = { minVersion: 'TLSv1.3', rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET } as const;
const LINK_PROTOCOL = 'h2';

/**
 * Handshakes as the side that dialled; only the pin that was dialled is accepted.
 * @param protocol what is spoken inside (RFC 7301): HTTP/2 unless told otherwise
 * @throws Fault `not-paired` when another key answers, `tls` when the handshake fails
 */
export function secureAsDialler(duplex: Duplex, own: Credentials, pin: string, protocol = LINK_PROTOCOL): Promise<SecureStream> {
  return new Promise((resolve, reject) => {
    const stream = tls.connect({ ...OPTIONS, socket: duplex, key: own.keyPem, cert: own.certPem, ALPNProtocols: [protocol] });
    const fail = (fault: Fault): void => {
      stream.destroy();
      reject(fault);
    };
    // What ends the stream below says more than TLS, which only sees it end.
    stream.on('error', (cause) => fail(cause instanceof Fault ? cause : new Fault('tls', 'the encrypted link could not be made', { cause })));
    stream.once('close', () => fail(new Fault('timeout', 'the link was lost before it was up')));
    stream.once('secureConnect', () => {
      const secure = describe(stream);
      if (secure === undefined || secure.spki !== pin) {
        fail(
          new Fault('not-paired', 'the device that answered is not the one that was paired', {
            remedy: 'run "git xmpp unpair" and pair again if that device was set up anew',
          }),
        );
      } else resolve(secure);
    });
  });
}

/**
 * Handshakes as the side that listens. An unknown key gets close_notify, which tells the dialler "not paired here".
 * @param isKnown whether a public key belongs to a peer that may come in by this pipe
 */
export function secureAsListener(duplex: Duplex, own: Credentials, isKnown: (spki: string) => boolean, protocol = LINK_PROTOCOL): Promise<SecureStream> {
  return new Promise((resolve, reject) => {
    const server = tls.createServer({ ...OPTIONS, requestCert: true, key: own.keyPem, cert: own.certPem, ALPNProtocols: [protocol] });
    server.once('tlsClientError', (cause) => reject(new Fault('tls', 'a handshake failed', { cause })));
    duplex.once('close', () => reject(new Fault('timeout', 'the link was lost before it was up')));
    server.once('secureConnection', (stream) => {
      stream.on('error', () => stream.destroy());
      const secure = describe(stream);
      if (secure !== undefined && isKnown(secure.spki)) return resolve(secure);
      stream.end();
      stream.resume();
      return reject(new Fault('not-paired', 'a device that is not paired asked for a link'));
    });
    server.emit('connection', duplex);
  });
}

function describe(stream: tls.TLSSocket): SecureStream | undefined {
  const certificate = stream.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return { stream, spki, resumeKey: stream.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)) };
}
