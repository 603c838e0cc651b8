// The broken network of other specs. Rule: it must lose nothing except when it is told to.

import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpProxy } from '../../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../../helpers/tcp-proxy.ts';

describe('startTcpProxy', () => {
  let echo: net.Server;
  let proxy: TcpProxy;
  beforeEach(async () => {
    echo = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startTcpProxy({ host: '127.0.0.1', port: portOf(echo) });
  });
  afterEach(async () => {
    await proxy.stop();
    echo.close();
  });

  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  it('carries every byte both ways, half-close included, and counts them', async () => {
    const socket = await connect();
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    const received: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.end(sent);
    await once(socket, 'end');
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(proxy.bytes).toEqual({ up: sent.length, down: sent.length });
  });

  it('resets what is open when it cuts, and takes the next connection', async () => {
    const socket = await connect();
    await proxy.connected(1);
    const failed = once(socket, 'error');
    expect(proxy.cut()).toBe(1);
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    const next = await connect();
    next.write('again');
    const [bytes] = await once(next, 'data');
    expect(String(bytes)).toBe('again');
    expect(proxy.accepted).toBe(2);
  });

  /** Whatever the proxy could have carried before is there after a round trip past it. */
  const roundTrip = async (): Promise<void> => {
    const socket = net.connect(portOf(echo), '127.0.0.1');
    socket.write('ping');
    await once(socket, 'data');
    socket.destroy();
  };

  it('holds back one direction while it stalls, and hands it on when it resumes', async () => {
    const socket = await connect();
    proxy.stall('down');
    const received: string[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes.toString()));
    socket.write('held');
    await proxy.reached('up', 4);
    await roundTrip();
    expect(proxy.bytes.down).toBe(0);
    socket.write(' back');
    proxy.resume();
    await proxy.reached('down', 9);
    await roundTrip();
    expect(received.join('')).toBe('held back');
  });

  it('lets a newer connection overtake one that it holds, which loses nothing', async () => {
    const [older, received] = [await connect(), [] as string[]];
    older.on('data', (bytes: Buffer) => received.push(bytes.toString()));
    await proxy.connected(1);
    expect(proxy.hold()).toBe(1);
    older.write('late');
    const newer = await connect();
    newer.write('early');
    const [bytes] = await once(newer, 'data');
    expect([String(bytes), received.length]).toEqual(['early', 0]);
    proxy.release();
    await once(older, 'data');
    expect(received.join('')).toBe('late');
  });

  it('ends one direction and carries on the other', async () => {
    const socket = await connect();
    socket.write('there');
    await once(socket, 'data');
    expect(proxy.halfClose('up')).toBe(1);
    // The echo sees the end of what comes up, and ends what goes down.
    await once(socket, 'end');
    expect(socket.writable).toBe(true);
  });

  it('carries every byte though slowly', async () => {
    proxy.slow(2_000_000);
    const socket = await connect();
    const sent = Buffer.alloc(400_000, 'xyz');
    const received: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.end(sent);
    await once(socket, 'end');
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it('resets new connections while it refuses', async () => {
    proxy.refuse(true);
    const socket = net.connect(proxy.port, proxy.host);
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(proxy.accepted).toBe(0);
    proxy.refuse(false);
    await connect();
    await proxy.connected(1);
  });
});

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port');
  return address.port;
}
