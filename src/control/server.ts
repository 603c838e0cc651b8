// The agent's one door: HTTP/1.1 over a unix socket, for the command line, the shims and later the dashboard.
// Rule: only a caller that names this agent's home is heard, and no caller can hold, fill or end the agent.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { asFault, Fault } from '../lib/errors.ts';
import { realClock, type Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { answerFault, answerJson, answerLines, formatRefusal, SWITCHING } from './answer.ts';
import { UPGRADE, VERSION_HEADER } from './door-format.ts';
import { GatedSocket } from './gated-socket.ts';
import { parseQuestion } from './request.ts';
import type { Routes } from './routes.ts';
import { listenOn } from './socket-file.ts';

export type { ControlHandler, ControlRequest, Routes } from './routes.ts';

export interface ControlOptions {
  readonly socketPath: string;
  /** The agent's home folder; a request that names another gets 421 Misdirected Request (RFC 9110 §15.5.20). */
  readonly home: string;
  readonly routes: Routes;
  /** Told with each answer. */
  readonly version?: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** How long a caller may take to send its question; default 10 000 ms. */
  readonly patienceMs?: number;
}

export interface Control {
  /** Hears no more, ends what is under way (1 s at most), removes the socket. */
  stop(): Promise<void>;
}

/** Callers at a time; more are turned away by the kernel. */
const MAX_CALLERS = 256;
const STOP_GRACE_MS = 1000;

/**
 * Opens the door.
 * @throws Fault `already-running` when another agent answers on the socket, or what keeps it from listening
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const door = new Door(options);
  await door.start();
  return door;
}

class Door implements Control {
  readonly #options: ControlOptions;
  readonly #server: Server;
  /** Aborts everything under way when the door closes. */
  readonly #open = new Set<AbortController>();
  readonly #upgraded = new Set<Duplex>();
  #stopped: Promise<void> | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    const patience = options.patienceMs ?? 10_000;
    this.#server = createServer({
      headersTimeout: patience,
      requestTimeout: patience,
      connectionsCheckingInterval: Math.ceil(patience / 4),
      maxHeaderSize: 32 * 1024,
    });
    this.#server.maxConnections = MAX_CALLERS;
    this.#server.on('request', (incoming, response) => void this.#serve(incoming, response));
    this.#server.on('upgrade', (incoming, socket, head) => void this.#serveStream(incoming, { socket, head }));
  }

  start(): Promise<void> {
    return listenOn(this.#server, this.#options.socketPath);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const life of this.#open) life.abort();
    const grace = (this.#options.clock ?? realClock).setTimer(STOP_GRACE_MS, () => {
      this.#server.closeAllConnections();
      for (const socket of this.#upgraded) socket.destroy();
    });
    await closed;
    grace.cancel();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const life = this.#begin();
    response.on('error', () => life.abort());
    if (this.#options.version !== undefined) response.setHeader(VERSION_HEADER, this.#options.version);
    response.on('close', () => this.#end(life, response.writableFinished));
    try {
      const { handler, route, request } = await this.#parse(incoming, life.signal);
      if (handler.kind === 'json') answerJson(response, await handler.answer(request));
      else if (handler.kind === 'lines') await answerLines(response, handler.answer(request), { signal: life.signal, isEventStream: request.isEventStream === true });
      else throw new Fault('wrong-use', `"${route}" is a git stream: ask with "Upgrade: ${UPGRADE}"`);
    } catch (error) {
      answerFault(response, this.#report(incoming, error));
    }
  }

  async #serveStream(incoming: IncomingMessage, { socket, head }: { socket: Duplex; head: Uint8Array }): Promise<void> {
    const life = this.#begin();
    const gated = new GatedSocket(socket, head);
    this.#upgraded.add(socket);
    socket.on('close', () => {
      this.#upgraded.delete(socket);
      this.#end(life, false);
    });
    try {
      const { handler, route, request } = await this.#parse(incoming, life.signal);
      if (handler.kind !== 'stream' || incoming.headers.upgrade !== UPGRADE) {
        throw new Fault('wrong-use', `"${route}" is no "${UPGRADE}"`);
      }
      await handler.open(request, gated);
      gated.open(SWITCHING);
    } catch (error) {
      gated.refuse(formatRefusal(this.#report(incoming, error)));
    }
  }

  #parse(incoming: IncomingMessage, signal: AbortSignal): ReturnType<typeof parseQuestion> {
    const { home, routes } = this.#options;
    return parseQuestion(incoming, { home, routes, signal });
  }

  #begin(): AbortController {
    const life = new AbortController();
    this.#open.add(life);
    return life;
  }

  #end(life: AbortController, isAnswered: boolean): void {
    this.#open.delete(life);
    if (!isAnswered) life.abort();
  }

  #report(incoming: IncomingMessage, error: unknown): Fault {
    const route = `${incoming.method ?? ''} ${(incoming.url ?? '').split('?', 1)[0] ?? ''}`;
    const fault = asFault(error, `answering ${route}`);
    const level = fault.code === 'internal' ? 'warn' : 'debug';
    this.#options.log[level]('request refused', { route, fault: fault.code, reason: fault.message });
    return fault;
  }
}
