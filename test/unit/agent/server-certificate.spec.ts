import { beforeEach, describe, expect, it } from 'vitest';
import { ServerCertificates } from '../../../src/agent/server-certificate.ts';
import { ServerCertificateFile } from '../../../src/home/server-certificate.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { CertificateFault } from '../../../src/xmpp/encrypt.ts';
import { makeFolder } from '../../helpers/repo.ts';

const SHOWN = { subject: 'example.org', issuer: 'New CA', names: [], validFrom: 0, validTo: Date.UTC(2027, 0, 1), fingerprint: 'b'.repeat(64) };
const REFUSED = new Fault('tls', 'example.org: its certificate is signed by nobody this machine trusts', { remedy: 'give its authority with --ca file' });

let certificates: ServerCertificates;

beforeEach(() => {
  certificates = new ServerCertificates({ file: new ServerCertificateFile({ state: makeFolder() }), clock: realClock, log: silentLog });
});

describe('ServerCertificates', () => {
  it('tells of a certificate that was refused what it is', async () => {
    expect(await certificates.explain('example.org', new CertificateFault(REFUSED, SHOWN))).toMatchObject({
      code: 'tls',
      message: 'example.org: its certificate is signed by nobody this machine trusts (of example.org by New CA, until 2027-01-01, SHA-256 bbbbbbbb…)',
      remedy: 'give its authority with --ca file',
    });
  });

  it('says that it has changed where another one was let in before', async () => {
    await certificates.note('example.org', { ...SHOWN, issuer: 'Old CA', fingerprint: 'a'.repeat(64) });
    const told = await certificates.explain('example.org', new CertificateFault(REFUSED, SHOWN));
    expect(told).toMatchObject({ message: expect.stringMatching(/another than before \(by Old CA, SHA-256 aaaaaaaa…\)\)$/), remedy: expect.stringMatching(/^the certificate has changed: .*--ca file; if not, .*another network$/) });
    expect(await certificates.explain('example.net', new CertificateFault(REFUSED, SHOWN))).toMatchObject({ message: expect.not.stringContaining('another than before') });
  });

  it('leaves every other fault as it is', async () => {
    const other = new Fault('tcp', 'refused');
    expect(await certificates.explain('example.org', other)).toBe(other);
    const bare = new CertificateFault(REFUSED, undefined);
    expect(await certificates.explain('example.org', bare)).toBe(bare);
  });
});
