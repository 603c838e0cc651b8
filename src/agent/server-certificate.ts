// What is remembered of the server's certificate from one sign-in to the next (docs/decisions/0043-the-doctor-tries-it.md).
// Rule: it makes an error tell more and never lets a server in or keeps it out; TLS alone does.

import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { ServerCertificateFile } from '../home/server-certificate.ts';
import { CertificateFault } from '../xmpp/encrypt.ts';
import type { ServerCertificate } from '../xmpp/encrypt.ts';
import { describeCertificate } from './doctor-server-format.ts';

export class ServerCertificates {
  readonly #parts: { readonly file: ServerCertificateFile; readonly clock: Clock; readonly log: Log };

  constructor(parts: { readonly file: ServerCertificateFile; readonly clock: Clock; readonly log: Log }) {
    this.#parts = parts;
  }

  /** `certificate` let the server of `domain` in. Never rejects: what cannot be written down is only not remembered. */
  async note(domain: string, { fingerprint, issuer, validTo }: ServerCertificate): Promise<void> {
    const { file, clock, log } = this.#parts;
    const end = Number.isFinite(validTo) ? Math.max(0, validTo) : 0;
    await file.note({ domain, fingerprint, issuer, validTo: end, since: clock.now() }).catch((error: unknown) => log.warn('the certificate is not noted', { why: messageOf(error) }));
  }

  /** A fault of the sign-in to `domain`, with what certificate it was about, and whether it is another than before. */
  async explain(domain: string, error: unknown): Promise<unknown> {
    if (!(error instanceof CertificateFault) || error.certificate === undefined) return error;
    const noted = await this.#parts.file.read(domain);
    const isOther = noted !== undefined && noted.fingerprint !== error.certificate.fingerprint;
    const words = `${error.message} (${describeCertificate(error.certificate, noted)})`;
    const remedy = isOther ? `the certificate has changed: if the server's operator says so, ${error.remedy ?? ''}; if not, someone may be in between, so try another network` : error.remedy;
    return new CertificateFault(error, error.certificate, words, remedy);
  }
}
