// A TCP proxy that stands for the network between a client and a server, and breaks when it is told to.
// Rule: it never looks into what it carries; each byte is counted once, when it is handed on.

import net from 'node:net';

export type Direction = 'up' | 'down';

export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that were taken so far. */
  readonly accepted: number;
  /** Bytes handed on to the target (`up`) and to clients (`down`), over all connections. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Resets every connection, as a router that forgets does; the next one is taken as usual. Returns how many were cut. */
  cut(): number;
  /** Carries nothing more and closes nothing (a black hole); connections are still taken. Without a direction, both ways. */
  stall(direction?: Direction): void;
  /** Carries again, first what came meanwhile. */
  resume(direction?: Direction): void;
  /** Refuses new connections (true) or takes them again (false). */
  refuse(isRefusing: boolean): void;
  /** Resolves as soon as so many bytes have been handed on in that direction. */
  reached(direction: Direction, count: number): Promise<void>;
  /** Resolves as soon as so many connections have been taken. */
  connected(count: number): Promise<void>;
  stop(): Promise<void>;
}

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** Listens on a free port of 127.0.0.1. */
export async function startTcpProxy(target: ProxyTarget): Promise<TcpProxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}

interface Pair {
  readonly client: net.Socket;
  readonly server: net.Socket;
}

class Proxy implements TcpProxy {
  readonly host = '127.0.0.1';
  readonly bytes = { up: 0, down: 0 };
  readonly #target: ProxyTarget;
  readonly #pairs = new Set<Pair>();
  readonly #stalled = new Set<Direction>();
  readonly #waiting = new Set<() => void>();
  readonly #server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => this.#accept(client));
  #port = 0;
  #accepted = 0;
  #isRefusing = false;

  constructor(target: ProxyTarget) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#pairs.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, this.host, () => {
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  cut(): number {
    const pairs = [...this.#pairs];
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
    return pairs.length;
  }

  stall(direction?: Direction): void {
    for (const one of directions(direction)) {
      this.#stalled.add(one);
      for (const pair of this.#pairs) sourceOf(pair, one).pause();
    }
  }

  resume(direction?: Direction): void {
    for (const one of directions(direction)) {
      this.#stalled.delete(one);
      for (const pair of this.#pairs) this.#flow(pair, one);
    }
  }

  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  reached(direction: Direction, count: number): Promise<void> {
    return this.#until(() => this.bytes[direction] >= count);
  }

  connected(count: number): Promise<void> {
    return this.#until(() => this.#accepted >= count);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.cut();
    });
  }

  #accept(client: net.Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const server = net.connect({ ...this.#target, allowHalfOpen: true });
    const pair: Pair = { client, server };
    this.#pairs.add(pair);
    this.#accepted += 1;
    client.setNoDelay();
    server.setNoDelay();
    this.#join(pair, 'up');
    this.#join(pair, 'down');
    this.#look();
  }

  #join(pair: Pair, direction: Direction): void {
    const source = sourceOf(pair, direction);
    const sink = direction === 'up' ? pair.server : pair.client;
    source.on('data', (bytes: Buffer) => {
      if (!sink.writable) return;
      const mayGoOn = sink.write(bytes);
      this.bytes[direction] += bytes.length;
      if (!mayGoOn) source.pause();
      this.#look();
    });
    sink.on('drain', () => this.#flow(pair, direction));
    source.on('end', () => sink.end());
    source.on('error', () => sink.destroy());
    source.on('close', () => {
      if (source.destroyed && !source.readableEnded) sink.destroy();
      this.#pairs.delete(pair);
    });
    source.pause();
    this.#flow(pair, direction);
  }

  #flow(pair: Pair, direction: Direction): void {
    if (!this.#stalled.has(direction)) sourceOf(pair, direction).resume();
  }

  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

function directions(direction: Direction | undefined): readonly Direction[] {
  return direction === undefined ? ['up', 'down'] : [direction];
}

function sourceOf(pair: Pair, direction: Direction): net.Socket {
  return direction === 'up' ? pair.client : pair.server;
}
