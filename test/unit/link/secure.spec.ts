import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { PipeStream } from '../../../src/link/pipe-stream.ts';
import { secureAsDialler, secureAsListener } from '../../../src/link/secure.ts';
import { Acceptor } from '../../../src/link/accept.ts';
import { makeCarrierPair } from '../../helpers/carrier-pair.ts';
import { makeLinkDevice } from '../../helpers/credentials.ts';
import { newLinkId } from '../../helpers/link-world.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';

const near = makeLinkDevice();
const far = makeLinkDevice();
const anybody = (): boolean => true;

describe('secureAsDialler and secureAsListener', () => {
  it('know each other by their keys, and have one key to resume by', async () => {
    const [a, b] = duplexPair();
    const [dialled, heard] = await Promise.all([secureAsDialler(a, near, far.spki), secureAsListener(b, far, (spki) => spki === near.spki)]);
    expect([dialled.spki, heard.spki]).toEqual([far.spki, near.spki]);
    expect(dialled.resumeKey).toHaveLength(32);
    expect(Buffer.compare(dialled.resumeKey, heard.resumeKey)).toBe(0);
    expect(dialled.stream.getProtocol()).toBe('TLSv1.3');
    expect(dialled.stream.alpnProtocol).toBe('h2');
    dialled.stream.write('hello');
    const [said] = await once(heard.stream, 'data');
    expect(String(said)).toBe('hello');
    dialled.stream.destroy();
  });

  it('have another key for each link', async () => {
    const keys = await Promise.all(
      [0, 1].map(async () => {
        const [a, b] = duplexPair();
        const [dialled] = await Promise.all([secureAsDialler(a, near, far.spki), secureAsListener(b, far, anybody)]);
        dialled.stream.destroy();
        return Buffer.from(dialled.resumeKey).toString('hex');
      }),
    );
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('resume no session, which would pass without a look at the pin', async () => {
    const options = { rejectUnauthorized: false, key: near.keyPem, cert: near.certPem, ALPNProtocols: ['h2'] };
    let session: Buffer | undefined;
    for (const isAgain of [false, true]) {
      const [a, b] = duplexPair();
      const listening = secureAsListener(b, far, (spki) => spki === near.spki);
      const stream = connect({ ...options, socket: a, ...(session === undefined ? {} : { session }) });
      stream.on('session', (ticket) => (session = ticket));
      const heard = await listening;
      heard.stream.write('x');
      await once(stream, 'data');
      expect([stream.isSessionReused(), heard.stream.isSessionReused()]).toEqual([false, false]);
      expect(session !== undefined || isAgain).toBe(true);
      stream.destroy();
    }
  });
});

describe('an older TLS', () => {
  it('is not spoken by who dials', async () => {
    const [a, b] = duplexPair();
    const server = createServer({ maxVersion: 'TLSv1.2', key: far.keyPem, cert: far.certPem, ALPNProtocols: ['h2'] });
    server.on('tlsClientError', () => undefined).emit('connection', b);
    await expect(secureAsDialler(a, near, far.spki)).rejects.toMatchObject({ code: 'tls' });
  });

  it('is not spoken by who listens', async () => {
    const [a, b] = duplexPair();
    const listening = secureAsListener(b, far, anybody);
    const old = connect({ socket: a, maxVersion: 'TLSv1.2', rejectUnauthorized: false, key: near.keyPem, cert: near.certPem, ALPNProtocols: ['h2'] });
    old.on('error', () => undefined);
    await expect(listening).rejects.toMatchObject({ code: 'tls' });
    old.destroy();
  });
});

describe('secureAsDialler', () => {
  it('accepts only the key that it dialled', async () => {
    const [a, b] = duplexPair();
    const listening = secureAsListener(b, far, anybody);
    const refusing = expect(listening).rejects.toMatchObject({ code: 'timeout' });
    await expect(secureAsDialler(a, near, near.spki)).rejects.toMatchObject({ code: 'not-paired', remedy: expect.stringContaining('git xmpp unpair') });
    await refusing;
    expect(a.destroyed).toBe(true);
  });

  it('says that the link was lost when the other side goes', async () => {
    const [a, b] = duplexPair();
    const dialling = secureAsDialler(a, near, far.spki);
    b.once('data', () => b.destroy());
    await expect(dialling).rejects.toMatchObject({ code: 'timeout' });
  });

  it('fails on anything that is no TLS', async () => {
    const [a, b] = duplexPair();
    const dialling = secureAsDialler(a, near, far.spki);
    b.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    await expect(dialling).rejects.toMatchObject({ code: 'tls' });
    expect(a.destroyed).toBe(true);
  });
});

describe('secureAsListener', () => {
  it('takes leave of a key that is not paired by a clean end', async () => {
    const [a, b] = duplexPair();
    const listening = secureAsListener(b, far, () => false);
    const dialled = await secureAsDialler(a, near, far.spki);
    const ended = once(dialled.stream, 'end');
    dialled.stream.resume();
    await expect(listening).rejects.toMatchObject({ code: 'not-paired' });
    await ended;
  });

  it('fails on anything that is no TLS', async () => {
    const [a, b] = duplexPair();
    const listening = secureAsListener(b, far, anybody);
    a.write('x'.repeat(1000));
    await expect(listening).rejects.toMatchObject({ code: 'tls' });
  });

  it('refuses a dialler without a certificate', async () => {
    const [a, b] = duplexPair();
    const listening = secureAsListener(b, far, anybody);
    const bare = connect({ socket: a, rejectUnauthorized: false, minVersion: 'TLSv1.3', ALPNProtocols: ['h2'] });
    bare.on('error', () => undefined);
    await expect(listening).rejects.toMatchObject({ code: expect.stringMatching(/not-paired|tls/) });
    bare.destroy();
  });

  it('runs on a pipe over carriers as on any stream', async () => {
    const linkId = newLinkId();
    const pair = makeCarrierPair();
    const a = new PipeStream({ role: 'dialler', linkId, clock: realClock, onDetached: () => undefined });
    a.attach(pair.near);
    a.on('error', () => undefined);
    const strangers: string[] = [];
    const acceptor = new Acceptor({
      own: far,
      findPeer: () => undefined,
      handlers: {
        digest: () => Promise.resolve(),
        repos: () => Promise.resolve(),
        carriers: () => Promise.resolve(),
        devices: () => Promise.resolve(),
        map: () => Promise.resolve(),
        offer: () => Promise.reject(new Error('none')),
        partial: () => Promise.reject(new Error('none')),
        packState: () => Promise.resolve(),
        pack: () => Promise.reject(new Error('none')),
        service: () => Promise.reject(new Error('none')),
      },
      clock: realClock,
      log: (await import('../../../src/lib/log.ts')).silentLog,
      onCarrier: () => undefined,
      giveUpMs: () => 3_600_000,
      onSuspect: () => undefined,
      onStranger: ({ peer }) => strangers.push(peer),
    });
    acceptor.accept(pair.far);
    const dialled = await secureAsDialler(a, near, far.spki);
    expect(dialled.spki).toBe(far.spki);
    dialled.stream.resume();
    await once(dialled.stream, 'end');
    expect(strangers).toEqual([pair.far.peer]);
    acceptor.stop();
    a.destroy();
  });
});
