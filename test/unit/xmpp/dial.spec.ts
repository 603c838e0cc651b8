import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../../src/lib/log.ts';
import { dial } from '../../../src/xmpp/dial.ts';
import type { Target } from '../../../src/xmpp/resolve.ts';
import type { StreamSocket } from '../../../src/xmpp/socket.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import type { TestCertificate } from '../../helpers/certificates.ts';
import { HEADER, startFakeServer } from '../../helpers/fake-xmpp-server.ts';
import type { FakeServer, FakeStream } from '../../helpers/fake-xmpp-server.ts';
import { findFreePorts } from '../../helpers/ports.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

/** The first byte of a TLS record that carries a handshake is 22. */
const TLS_HANDSHAKE = new RegExp(`^${String.fromCharCode(22)}`);

let certificate: TestCertificate;
let clock: VirtualClock;
const servers: FakeServer[] = [];
const sockets: StreamSocket[] = [];

beforeAll(() => {
  certificate = makeCertificate('localhost');
});

beforeEach(() => {
  clock = new VirtualClock();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(isEncrypted: boolean): Promise<{ server: FakeServer; target: Target }> {
  const server = await startFakeServer(isEncrypted ? certificate : undefined);
  servers.push(server);
  return { server, target: { host: '127.0.0.1', port: server.port, isDirectTls: isEncrypted } };
}

function start(
  targets: readonly Target[],
  options: { domain?: string; ca?: string | undefined; signal?: AbortSignal } = {},
): Promise<StreamSocket> {
  const { domain = 'localhost', signal = new AbortController().signal } = options;
  const ca = 'ca' in options ? options.ca : certificate.cert;
  const dialling = dial(targets, { domain, ca, clock, log: silentLog, signal });
  dialling.then(
    (socket) => sockets.push(socket),
    () => undefined,
  );
  return dialling;
}

async function freeTarget(): Promise<Target> {
  const [port = 0] = await findFreePorts(1);
  return { host: '127.0.0.1', port, isDirectTls: true };
}

function isTls(socket: net.Socket): socket is TLSSocket {
  return 'servername' in socket;
}

describe('dial, by direct TLS', () => {
  it('asks for the certificate of the domain and for XMPP', async () => {
    const { server, target } = await serve(true);
    await start([target]);
    const { socket } = await server.accept();
    expect(isTls(socket) && [socket.servername, socket.alpnProtocol]).toEqual(['localhost', 'xmpp-client']);
  });

  it('gives key material of the TLS session for the login to bind to', async () => {
    const { server, target } = await serve(true);
    const socket = await start([target]);
    const { socket: other } = await server.accept();
    expect(isTls(other)).toBe(true);
    if (isTls(other))
      expect(socket.channelBinding()).toEqual(other.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  });

  it.each([
    ['a certificate that nobody trusts', { ca: undefined }, /nobody this machine trusts/],
    ['a certificate for another name', { domain: 'other.example' }, /for another name/],
  ])('refuses %s', async (_what, options, words) => {
    const { target } = await serve(true);
    await expect(start([target], options)).rejects.toMatchObject({ code: 'tls', message: expect.stringMatching(words), remedy: expect.stringContaining('') });
  });

  it('tries the next host when one refuses', async () => {
    const { server, target } = await serve(true);
    await start([await freeTarget(), target]);
    await server.accept();
  });

  it('tells of the most telling failure when all hosts fail', async () => {
    const { target } = await serve(true);
    await expect(start([await freeTarget(), target, await freeTarget()], { domain: 'other.example' })).rejects.toMatchObject({
      code: 'tls',
    });
  });

  it('says "tcp" when the connection is refused', async () => {
    await expect(start([await freeTarget()])).rejects.toMatchObject({ code: 'tcp', message: expect.stringContaining('refused') });
  });

  it('says "dns" when the name cannot be looked up', async () => {
    await expect(start([{ host: 'no-such-host.invalid', port: 5222, isDirectTls: false }])).rejects.toMatchObject({
      code: 'dns',
    });
  });

  it('gives a host 12 s to shake hands, then tries the next', async () => {
    const { server: silent, target: first } = await serve(false);
    const { server, target: second } = await serve(true);
    const dialling = start([{ ...first, isDirectTls: true }, second]);
    const stream = await silent.accept();
    await stream.take(TLS_HANDSHAKE);
    clock.advance(12_000);
    await server.accept();
    await dialling;
    await stream.closed;
  });

  it('stops at once when it is told to', async () => {
    const { server, target } = await serve(false);
    const stop = new AbortController();
    const dialling = start([{ ...target, isDirectTls: true }], { signal: stop.signal });
    const stream = await server.accept();
    stop.abort();
    await expect(dialling).rejects.toThrow();
    await stream.closed;
  });

  it('does not begin when it was told to stop before', async () => {
    const { target } = await serve(true);
    const connect = vi.spyOn(net, 'connect');
    await expect(start([target], { signal: AbortSignal.abort(new Error('given up')) })).rejects.toThrow('given up');
    expect(connect).not.toHaveBeenCalled();
    connect.mockRestore();
  });
});

const STARTTLS = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

describe('dial, by STARTTLS', () => {
  async function open(): Promise<{ dialling: Promise<StreamSocket>; stream: FakeStream }> {
    const { server, target } = await serve(false);
    const dialling = start([target]);
    const stream = await server.accept();
    await stream.take(
      /<stream:stream to="localhost" version="1.0" xmlns="jabber:client" xmlns:stream="http:\/\/etherx.jabber.org\/streams">/,
    );
    return { dialling, stream };
  }

  it.each([
    [
      'offers none',
      `${HEADER}<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>`,
      'no-encryption',
    ],
    ['sends too much', `${HEADER}<x>${'A'.repeat(70_000)}`, 'no-encryption'],
    [
      'does not know the domain',
      `${HEADER}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`,
      'server',
    ],
    ['sends what is no XML', 'SSH-2.0-OpenSSH_9.2\r\n<a></b>', 'server'],
  ])('goes no further with a server that %s', async (_what, text, code) => {
    const { dialling, stream } = await open();
    stream.send(text);
    await expect(dialling).rejects.toMatchObject({ code });
    await stream.closed;
  });

  it.each([
    ['refuses after all', "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
    ['slips an element in before encryption begins', `${PROCEED}<message/>`],
    ['slips a piece of one in', `${PROCEED}<stream:fea`],
  ])('goes no further with a server that %s', async (_what, text) => {
    const { dialling, stream } = await open();
    stream.send(HEADER + STARTTLS);
    await stream.take(/<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"\/>/);
    stream.send(text);
    await expect(dialling).rejects.toMatchObject({ code: 'no-encryption' });
    await stream.closed;
  });

  it('gives up on a server that says nothing', async () => {
    const { dialling, stream } = await open();
    clock.advance(12_000);
    await expect(dialling).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('asking for encryption') });
    await stream.closed;
  });

  it.each([
    ['HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/login\r\n\r\n', 'HTTP/1.1 302 Found'],
    ['<!DOCTYPE html><html>Welcome</html>', '<!DOCTYPE html><html>Welcome</html>'],
    ['220 \u0007mail.example ESMTP\r\n', '220 ?mail.example ESMTP'],
  ])('says what answers in its place: %j', async (text, said) => {
    const { dialling, stream } = await open();
    stream.send(text);
    await expect(dialling).rejects.toMatchObject({ code: 'server', message: `what answers for localhost is no XMPP server: it says "${said}"`, remedy: expect.stringContaining('sign in on a web page') });
  });

  it('says so when the server closes', async () => {
    const { dialling, stream } = await open();
    stream.socket.end();
    await expect(dialling).rejects.toMatchObject({ code: 'tcp' });
  });

  it('begins the handshake with the byte after the go-ahead, however it is cut', async () => {
    const { dialling, stream } = await open();
    for (const part of [HEADER.slice(0, 30), HEADER.slice(30), STARTTLS.slice(0, 40), STARTTLS.slice(40)]) stream.send(part);
    await stream.take(/<starttls [^>]*>/);
    for (const part of [PROCEED.slice(0, 20), PROCEED.slice(20)]) stream.send(part);
    await stream.take(TLS_HANDSHAKE);
    stream.socket.destroy();
    await expect(dialling).rejects.toMatchObject({ code: 'tls' });
  });
});
