// Self-signed certificates for servers that a spec runs itself. Rule: made anew for each run with openssl, kept in memory.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A P-256 certificate for the DNS name `name`, signed by itself. */
export function makeCertificate(name: string): TestCertificate {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-certificate-'));
  const file = (part: string): string => path.join(dir, part);
  try {
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', '2'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.pem')];
    execFileSync('openssl', ['req', '-x509', ...key, '-out', file('cert.pem'), ...subject], { stdio: 'pipe' });
    return { key: readFileSync(file('key.pem'), 'utf8'), cert: readFileSync(file('cert.pem'), 'utf8') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
