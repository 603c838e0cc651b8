// TLS to a server on a connection that is up, and what certificate it shows (RFC 6120 §13.7, XEP-0368).
// Rule: the certificate is always told, also a bad one's; whoever wants to use the stream looks at `problem` first, and nothing is sent before.

import { constants } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { domainToASCII } from 'node:url';
import { Fault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import { faultOfTls } from './faults.ts';
import type { Target } from './resolve.ts';

/** What a server shows of itself; every text is the server's own, cut to length. */
export interface ServerCertificate {
  /** Common names, else organisations. */
  readonly subject: string;
  readonly issuer: string;
  /** What it is for: `DNS:example.org`, at most eight. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** SHA-256 in lower-case hex. */
  readonly fingerprint: string;
}

export interface Encrypted {
  readonly stream: tls.TLSSocket;
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Undefined when the server showed none that can be read. */
  readonly certificate: ServerCertificate | undefined;
  /** Why the stream must not be used. */
  readonly problem: CertificateFault | undefined;
}

/** A certificate that does not let its server in. */
export class CertificateFault extends Fault {
  readonly certificate: ServerCertificate | undefined;

  constructor(fault: Fault, certificate: ServerCertificate | undefined, words = fault.message, remedy = fault.remedy) {
    super('tls', words, { ...(remedy === undefined ? {} : { remedy }), cause: fault.cause });
    this.certificate = certificate;
  }
}

const MAX_NAMES = 8;

/**
 * Encrypts `tcp`, and looks at chain, name and time of the server's certificate.
 * @param options.ca PEM; when given, these are the only authorities that are trusted
 * @throws Fault `tls` when no encryption comes about at all
 */
export async function encrypt(tcp: net.Socket, target: Target, { domain, ca }: { readonly domain: string; readonly ca?: string | undefined }): Promise<Encrypted> {
  const name = domainToASCII(domain.replace(/\.$/, '')) || domain;
  const stream = tls.connect({
    socket: tcp,
    host: name,
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    ...(target.isDirectTls ? { ALPNProtocols: ['xmpp-client'] } : {}),
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    // Chain, time and name are checked all the same: `authorized` says how it went (node:tls, onConnectSecure), and the certificate can still be read.
    rejectUnauthorized: false,
    // What was judged once stays what it was.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
  try {
    await once(stream, 'secureConnect');
  } catch (error) {
    throw faultOfTls(error, domain);
  }
  const certificate = readCertificate(stream);
  // Whoever lets it go because of its problem listens to nothing more.
  if (!stream.authorized) stream.on('error', () => undefined);
  return { stream, protocol: stream.getProtocol() ?? 'TLS', certificate, problem: stream.authorized ? undefined : problemOf(stream, domain, certificate) };
}

function problemOf({ authorizationError }: tls.TLSSocket, domain: string, certificate: ServerCertificate | undefined): CertificateFault {
  // The code of what went wrong (node:tls), though it is declared an error.
  const why: unknown = authorizationError;
  const code = typeof why === 'string' ? why : why instanceof Error ? why.message : 'unknown';
  return new CertificateFault(faultOfTls(Object.assign(new Error(code), { code }), domain), certificate);
}

function readCertificate(stream: tls.TLSSocket): ServerCertificate | undefined {
  const shown = stream.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  return {
    subject: nameOf(shown.subject),
    issuer: nameOf(shown.issuer),
    names: (shown.subjectAltName ?? '').split(', ').filter((each) => each !== '').slice(0, MAX_NAMES).map(shorten),
    validFrom: Date.parse(shown.validFrom),
    validTo: Date.parse(shown.validTo),
    fingerprint: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** The telling part of a distinguished name that node:crypto gives as a line each. */
function nameOf(distinguished: string): string {
  const lines = distinguished.split('\n');
  const found = ['CN=', 'O='].map((part) => lines.find((line) => line.startsWith(part))?.slice(part.length)).find((each) => each !== undefined);
  return shorten(found ?? lines.at(-1) ?? '');
}
