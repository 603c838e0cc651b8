// The other side of the agent's door, for the command line and the shims, which bundle it: node builtins and lib only.
// Rule: whatever goes wrong comes out as a Fault, the agent's own or one that says where the agent was lost.

import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Fault } from '../lib/errors.ts';
import { utf8 } from '../lib/bytes.ts';
import { Asked, decodeLines, parseAnswer } from './asked.ts';
import { checkSocketPath, formatHeaders, MAX_BODY_BYTES, UPGRADE, VERSION_HEADER } from './door-format.ts';

export { isAgentAbsent } from './asked.ts';

export interface AskOptions {
  /** For a whole answer, or for the first sign of many; default 60 000 ms. */
  readonly deadlineMs?: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal;
}

const DEFAULT_DEADLINE_MS = 60_000;

/** Asks the agent of one home. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #home: string;
  #agentVersion: string | undefined;

  /** @throws Fault `bad-config` when the socket path is too long to work */
  constructor({ socketPath, home }: { readonly socketPath: string; readonly home: string }) {
    checkSocketPath(socketPath);
    this.#socketPath = socketPath;
    this.#home = home;
  }

  /** Of the agent that answered last, empty where it does not tell; undefined before any did. */
  get agentVersion(): string | undefined {
    return this.#agentVersion;
  }

  /**
   * One question, one answer (undefined for an empty one).
   * @throws Fault the agent's own, or `agent` when none runs or it went away, `timeout`
   */
  async request(method: string, path: string, body?: unknown, options: AskOptions = {}): Promise<unknown> {
    const asked = this.#ask(method, path, { body, ...options });
    return asked.within(async () => parseAnswer(await asked.response));
  }

  /** One question, many answers as they come. @throws Fault as `request`, also in the middle */
  async *lines(method: string, path: string, body?: unknown, options: AskOptions = {}): AsyncGenerator<unknown, void> {
    const asked = this.#ask(method, path, { body, ...options });
    const response = await asked.within(() => asked.response);
    try {
      if (response.statusCode === 200) yield* asked.watched(decodeLines(response));
      else await asked.within(async () => parseAnswer(response));
    } finally {
      response.destroy();
    }
  }

  /**
   * Opens a git stream: frames of `stream-format.ts` come out, raw bytes go in; ended and destroyed by the caller.
   * @param fields such as peer, repo, service and protocol
   * @throws Fault as `request`
   */
  async stream(path: string, fields: Readonly<Record<string, string>>, options: AskOptions = {}): Promise<Socket> {
    const headers = { connection: 'Upgrade', upgrade: UPGRADE, ...formatHeaders(fields) };
    const asked = this.#ask('POST', path, { headers, ...options });
    const upgraded = new Promise<Socket>((resolve) => {
      asked.sent.once('upgrade', (_response, socket: Socket, head) => {
        // Between here and the caller's own listener an error must not be fatal; whoever reads still sees it.
        socket.on('error', () => undefined);
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
    });
    const refused = asked.response.then(async (response): Promise<never> => {
      await parseAnswer(response);
      throw new Fault('agent', `the agent answered ${path} with ${String(response.statusCode)} and opened no stream`);
    });
    return asked.within(() => Promise.race([upgraded, refused]));
  }

  #ask(method: string, path: string, options: AskOptions & { body?: unknown; headers?: Record<string, string> }): Asked {
    const content = options.body === undefined ? undefined : utf8(JSON.stringify(options.body));
    if (content !== undefined && content.length > MAX_BODY_BYTES) {
      throw new Fault('too-large', `a request to the agent may hold ${MAX_BODY_BYTES} bytes, not ${content.length}`);
    }
    const length = content === undefined ? {} : { 'content-length': content.length, 'content-type': 'application/json' };
    const sent = httpRequest({
      method,
      path,
      headers: { host: 'agent', ...formatHeaders({ home: this.#home }), ...length, ...options.headers },
      createConnection: () => connect({ path: this.#socketPath, allowHalfOpen: true }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    sent.once('response', ({ headers }) => {
      const told = headers[VERSION_HEADER];
      this.#agentVersion = typeof told === 'string' ? told : '';
    });
    sent.end(content);
    return new Asked(sent, { what: `${method} ${path}`, deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS });
  }
}
