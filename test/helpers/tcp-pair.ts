// Two sockets that are connected to each other, and listeners for specs to play a streamhost with.
// Rule: everything is on loopback addresses and closed when the spec ends.

import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

/** A listener on a free port, or on one that is given; `accept` has each connection, whose errors nobody hears. */
export async function listenLocally(accept: (socket: Socket) => void, host = '127.0.0.1', port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  onTestFinished(close);
  return {
    host,
    port: (server.address() as AddressInfo).port,
    get open() {
      return sockets.size;
    },
    close,
  };
}

/** Both ends of one TCP connection; neither reads yet. */
export async function connectPair(): Promise<readonly [near: Socket, far: Socket]> {
  let accept: (socket: Socket) => void = () => undefined;
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const { port } = await listenLocally((socket) => accept(socket));
  const near = net.connect({ port, host: '127.0.0.1' });
  await new Promise((resolve, reject) => near.once('connect', resolve).once('error', reject));
  onTestFinished(() => void near.destroy());
  return [near, await accepted];
}
