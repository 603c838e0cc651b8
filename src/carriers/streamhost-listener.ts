// The streamhost that an agent is itself (XEP-0065 §5.3): listens for the peers it has made an offer to, and for nobody else.
// Rule: it exists only while an offer is pending; whoever connects has five seconds to name one stream that is expected, once.

import net from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { DirectMode } from '../home/settings-format.ts';
import { addressesToOffer, isWithin } from './addresses.ts';
import type { Interfaces } from './addresses.ts';
import type { StreamSocket } from './socks5-dial.ts';
import { Socks5Server } from './socks5-machine.ts';

/** Connections at once that have not named a stream yet; further ones are closed as they come. */
const MAX_UNAUTHENTICATED = 8;
const AUTHENTICATE_MS = 5000;

export interface StreamhostListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly mode: () => DirectMode;
  readonly interfaces: () => Interfaces;
  /** Told of each connection that is refused: one too many, too slow, from too far, or for no stream that is expected. */
  readonly onRefused: () => void;
}

/** Where a peer may connect. */
export interface ListeningAt {
  readonly host: string;
  readonly port: number;
}

/** One listener for all pending offers of a connection; a port of its own on each offered address. */
export class StreamhostListener {
  readonly #options: StreamhostListenerOptions;
  /** Names that are expected, with the connection that came for each. */
  readonly #expected = new Map<string, StreamSocket | undefined>();
  readonly #unauthenticated = new Map<Socket, 'asked' | 'refused'>();
  #servers: Promise<readonly Server[]> | undefined;
  #hasLogged = false;

  constructor(options: StreamhostListenerOptions) {
    this.#options = options;
  }

  get isListening(): boolean {
    return this.#servers !== undefined;
  }

  /** Expects one connection for the stream `name` until `release`; says where, best first: nowhere when direct connections are off. */
  async expect(name: string): Promise<ListeningAt[]> {
    this.#expected.set(name, undefined);
    this.#servers ??= this.#listen();
    const servers = await this.#servers;
    return servers.flatMap((server) => addressOf(server) ?? []);
  }

  /** The connection that came for `name`, if one did; it is the caller's now. */
  take(name: string): StreamSocket | undefined {
    const found = this.#expected.get(name);
    this.#expected.delete(name);
    this.release(name);
    return found?.socket.destroyed === true ? undefined : found;
  }

  /** Expects `name` no more. With the last one the listener goes. */
  release(name: string): void {
    this.#expected.get(name)?.socket.destroy();
    this.#expected.delete(name);
    if (this.#expected.size > 0) return;
    const servers = this.#servers;
    this.#servers = undefined;
    void servers?.then((all) => all.map((server) => server.close()));
    for (const socket of this.#unauthenticated.keys()) socket.destroy();
  }

  async #listen(): Promise<readonly Server[]> {
    this.#hasLogged = false;
    const { interfaces, mode, log } = this.#options;
    const started = addressesToOffer(interfaces(), mode()).map(async (host) => {
      try {
        return [await listenOn(host, (socket) => this.#accept(socket))];
      } catch (error) {
        log.info('cannot listen for direct connections', { host, why: codeOf(error) });
        return [];
      }
    });
    return (await Promise.all(started)).flat();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const from = socket.remoteAddress ?? '';
    if (this.#expected.size === 0 || !isWithin(this.#options.mode(), from)) return this.#refuse(socket, 'its address is not allowed');
    if (this.#unauthenticated.size >= MAX_UNAUTHENTICATED) return this.#refuse(socket, 'too many at once');
    this.#unauthenticated.set(socket, 'asked');
    const timer = this.#options.clock.setTimer(AUTHENTICATE_MS, () => {
      if (this.#unauthenticated.get(socket) === 'asked') this.#refuse(socket, 'named no stream in time');
      else socket.destroy();
    });
    const forget = (): void => {
      timer.cancel();
      this.#unauthenticated.delete(socket);
    };
    socket.once('close', forget);
    this.#shakeHands(socket, forget);
  }

  #shakeHands(socket: Socket, forget: () => void): void {
    const machine = new Socks5Server((name) => this.#expected.has(name) && this.#expected.get(name) === undefined);
    const onData = (bytes: Uint8Array): void => {
      const { send, state, rest, why } = machine.receive(bytes);
      if (send.length > 0) socket.write(send);
      if (state === 'going') return;
      socket.removeListener('data', onData);
      if (state === 'refused') {
        this.#count(why, socket);
        this.#unauthenticated.set(socket, 'refused');
        // What still comes is read and dropped, so that the answer is not lost to a reset; the timer ends the rest.
        socket.resume();
        return void socket.end();
      }
      forget();
      socket.removeListener('close', forget);
      socket.pause();
      this.#expected.set(machine.name ?? '', { socket, early: rest });
    };
    socket.on('data', onData);
  }

  #refuse(socket: Socket, why: string): void {
    this.#count(why, socket);
    socket.destroy();
  }

  #count(why: string, socket: Socket): void {
    this.#options.onRefused();
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    this.#options.log.warn('refused a direct connection', { from: socket.remoteAddress, why });
  }
}

function listenOn(host: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay: true }, accept);
    server.once('error', reject);
    server.listen({ host, port: 0, ipv6Only: true }, () => {
      server.removeListener('error', reject);
      server.on('error', () => server.close());
      server.unref();
      resolve(server);
    });
  });
}

function addressOf(server: Server): ListeningAt | undefined {
  const address = server.address();
  return address === null || typeof address === 'string' ? undefined : { host: address.address, port: address.port };
}
