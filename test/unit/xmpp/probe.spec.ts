import { Resolver } from 'node:dns/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { probeAddresses, probeNames, probeTarget } from '../../../src/xmpp/probe.ts';
import type { Target } from '../../../src/xmpp/resolve.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import type { TestCertificate } from '../../helpers/certificates.ts';
import { startFakeServer } from '../../helpers/fake-xmpp-server.ts';
import { srv, startNameServer } from '../../helpers/name-server.ts';
import { findFreePorts } from '../../helpers/ports.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

let certificate: TestCertificate;
const ends: (() => Promise<void>)[] = [];

beforeAll(() => {
  certificate = makeCertificate('localhost');
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function serve(): Promise<Target> {
  const server = await startFakeServer(certificate);
  ends.push(() => server.stop());
  return { host: '127.0.0.1', port: server.port, isDirectTls: true };
}

const OPTIONS = { domain: 'localhost', clock: realClock };

describe('probeNames', () => {
  async function asked(...records: Parameters<typeof startNameServer>[0]): Promise<Resolver> {
    const names = await startNameServer(records);
    ends.push(() => names.stop());
    const resolver = new Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers([names.address]);
    return resolver;
  }

  it('tells names of SRV records from the domain itself', async () => {
    const found = await probeNames({ ...OPTIONS, domain: 'a.test', resolver: await asked(srv('_xmpp-client._tcp.a.test', 5299, 'xmpp.a.test')) });
    expect(found).toEqual({ source: 'srv', targets: [{ host: 'xmpp.a.test', port: 5299, isDirectTls: false }] });
    expect(await probeNames({ ...OPTIONS, domain: 'b.test', resolver: await asked() })).toMatchObject({ source: 'domain', targets: [{ host: 'b.test', port: 5222 }] });
  });

  it('tells a name server that does not answer from one that knows nothing', async () => {
    const resolver = { resolveSrv: () => Promise.reject(Object.assign(new Error('queryTimeout'), { code: 'ETIMEOUT' })) };
    expect(await probeNames({ ...OPTIONS, resolver })).toMatchObject({ source: 'no-answer', silence: 'ETIMEOUT' });
  });

  it('asks nobody where the user named the server', async () => {
    const resolver = { resolveSrv: () => Promise.reject(new Error('asked')) };
    expect(await probeNames({ ...OPTIONS, resolver, override: { host: 'x', port: 1, isDirectTls: false } })).toMatchObject({ source: 'named' });
  });

  it('waits for DNS no longer than its deadline', async () => {
    const clock = new VirtualClock();
    const waiting = probeNames({ ...OPTIONS, clock, resolver: { resolveSrv: () => new Promise(() => undefined) } });
    clock.advance(12_000);
    await expect(waiting).rejects.toMatchObject({ code: 'timeout' });
  });

  it('says "dns" for a domain that says it has no XMPP service', async () => {
    await expect(probeNames({ ...OPTIONS, domain: 'c.test', resolver: await asked(srv('_xmpp-client._tcp.c.test', 1, '.')) })).rejects.toMatchObject({ code: 'dns' });
  });
});

describe('probeAddresses', () => {
  it('looks a name up, and takes an address as it is', async () => {
    expect(await probeAddresses({ host: '192.0.2.1', port: 1, isDirectTls: false }, realClock)).toEqual(['192.0.2.1']);
    await expect(probeAddresses({ host: 'nowhere.invalid', port: 1, isDirectTls: false }, realClock)).rejects.toMatchObject({ code: 'dns' });
  });
});

describe('probeTarget', () => {
  it('tells address and certificate of a server that is trusted', async () => {
    const target = await serve();
    const found = await probeTarget(target, { ...OPTIONS, ca: certificate.cert });
    expect(found.fault).toBeUndefined();
    expect(found).toMatchObject({ address: `127.0.0.1:${target.port}`, encrypted: { protocol: 'TLSv1.3', certificate: { subject: 'localhost', issuer: 'localhost', names: ['DNS:localhost'] } } });
  });

  it('tells the certificate of one that is not, and why', async () => {
    const target = await serve();
    expect(await probeTarget(target, OPTIONS)).toMatchObject({ fault: { code: 'tls', message: expect.stringContaining('nobody this machine trusts') }, encrypted: { certificate: { subject: 'localhost' } } });
    const other = await probeTarget(target, { ...OPTIONS, domain: 'other.example', ca: certificate.cert });
    expect(other).toMatchObject({ fault: { code: 'tls', message: expect.stringContaining('for another name') }, encrypted: { certificate: { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) } } });
  });

  it('tells a port that is closed', async () => {
    const [port = 0] = await findFreePorts(1);
    const found = await probeTarget({ host: '127.0.0.1', port, isDirectTls: false }, OPTIONS);
    expect(found).toMatchObject({ fault: { code: 'tcp', message: expect.stringContaining('refused') } });
    expect(found.address).toBeUndefined();
  });

  it('gives a server that says nothing its time and no more, and lets it go', async () => {
    const server = await startFakeServer();
    ends.push(() => server.stop());
    const clock = new VirtualClock();
    const probing = probeTarget({ host: '127.0.0.1', port: server.port, isDirectTls: false }, { ...OPTIONS, clock });
    const stream = await server.accept();
    await stream.take(/<stream:stream /);
    clock.advance(8_000);
    expect(await probing).toMatchObject({ address: `127.0.0.1:${server.port}`, fault: { code: 'timeout', message: expect.stringContaining('asking for encryption') } });
    await stream.closed;
  });
});
