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
  /**
   * Carries nothing more on the connections that are open now and closes none of them (half-open on both sides); newer ones are carried, and
   * so overtake. Returns how many.
   */
  hold(): number;
  /** Carries on where `hold` stopped. */
  release(): void;
  /** As `hold`, for good: a black hole. Returns how many. */
  abandon(): number;
  /** Carries at most so many bytes a second in each direction of each connection; undefined for as fast as it goes. */
  slow(bytesPerSecond: number | undefined): void;
  /** Ends one direction of every open connection (FIN); the other goes on. Returns how many. */
  halfClose(direction: Direction): number;
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

/** @param at where it listens; a free port of 127.0.0.1 unless told */
export async function startTcpProxy(target: ProxyTarget, at: ProxyTarget = { host: '127.0.0.1', port: 0 }): Promise<TcpProxy> {
  const proxy = new Proxy(target, at);
  await proxy.listen();
  return proxy;
}

interface Pair {
  readonly client: net.Socket;
  readonly server: net.Socket;
}

class Proxy implements TcpProxy {
  readonly host: string;
  readonly bytes = { up: 0, down: 0 };
  readonly #target: ProxyTarget;
  readonly #pairs = new Set<Pair>();
  readonly #stalled = new Set<Direction>();
  readonly #held = new Set<Pair>();
  readonly #abandoned = new Set<Pair>();
  readonly #pausing = new Set<NodeJS.Timeout>();
  #bytesPerSecond: number | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => this.#accept(client));
  #port: number;
  #accepted = 0;
  #isRefusing = false;

  constructor(target: ProxyTarget, at: ProxyTarget) {
    this.#target = target;
    this.host = at.host;
    this.#port = at.port;
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
      this.#server.listen(this.#port, this.host, () => {
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  cut(): number {
    const pairs = [...this.#pairs];
    const alive = pairs.filter((pair) => !this.#abandoned.has(pair)).length;
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    for (const each of [this.#pairs, this.#held, this.#abandoned]) each.clear();
    return alive;
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

  hold(): number {
    return this.#holdIn(this.#held);
  }

  abandon(): number {
    return this.#holdIn(this.#abandoned);
  }

  #holdIn(those: Set<Pair>): number {
    const fresh = [...this.#pairs].filter((pair) => !those.has(pair) && !this.#abandoned.has(pair));
    for (const pair of fresh) {
      those.add(pair);
      for (const one of directions(undefined)) sourceOf(pair, one).pause();
    }
    return fresh.length;
  }

  release(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const pair of held) for (const one of directions(undefined)) this.#flow(pair, one);
  }

  slow(bytesPerSecond: number | undefined): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  halfClose(direction: Direction): number {
    for (const { client, server } of this.#pairs) (direction === 'up' ? server : client).end();
    return this.#pairs.size;
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
      for (const timer of this.#pausing) clearTimeout(timer);
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
      else if (this.#bytesPerSecond !== undefined) this.#pause(pair, direction, (bytes.length * 1000) / this.#bytesPerSecond);
      this.#look();
    });
    sink.on('drain', () => this.#flow(pair, direction));
    source.on('end', () => sink.end());
    source.on('error', () => sink.destroy());
    source.on('close', () => {
      if (source.destroyed && !source.readableEnded) sink.destroy();
      if (!pair.client.destroyed || !pair.server.destroyed) return;
      for (const each of [this.#pairs, this.#held, this.#abandoned]) each.delete(pair);
    });
    source.pause();
    this.#flow(pair, direction);
  }

  #flow(pair: Pair, direction: Direction): void {
    const isHeld = this.#stalled.has(direction) || this.#held.has(pair) || this.#abandoned.has(pair);
    if (!isHeld) sourceOf(pair, direction).resume();
  }

  #pause(pair: Pair, direction: Direction, ms: number): void {
    sourceOf(pair, direction).pause();
    const timer = setTimeout(() => {
      this.#pausing.delete(timer);
      this.#flow(pair, direction);
    }, ms);
    this.#pausing.add(timer);
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
