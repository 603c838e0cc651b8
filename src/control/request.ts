// A question at the door, from HTTP (RFC 9112) to checked values. Rule: nothing is answered before the caller has named our home.

import type { IncomingMessage } from 'node:http';
import { Fault, InputFault } from '../lib/errors.ts';
import { concatBytes } from '../lib/bytes.ts';
import { shorten } from '../lib/jid.ts';
import { MAX_BODY_BYTES, parseHeaders } from './door-format.ts';
import { acceptsEvents } from './events-format.ts';
import { parseJson } from './lines-format.ts';
import type { ControlHandler, ControlRequest, Routes } from './routes.ts';

export interface Question {
  readonly handler: ControlHandler;
  /** Such as `GET /status`. */
  readonly route: string;
  readonly request: ControlRequest;
}

/**
 * The handler and the checked request for what came in.
 * @throws Fault `already-running` (HTTP 421) for another home, `wrong-use` for an unknown route, `too-large`, `bad-input`
 */
export async function parseQuestion(
  incoming: IncomingMessage,
  options: { readonly home: string; readonly routes: Routes; readonly signal: AbortSignal },
): Promise<Question> {
  const { home, ...headers } = parseHeaders(incoming.headers);
  if (home !== options.home) throw otherHome(options.home, home);
  const url = parseUrl(incoming.url ?? '');
  const route = `${incoming.method ?? ''} ${url.pathname}`;
  const handler = Object.hasOwn(options.routes, route) ? options.routes[route] : undefined;
  if (handler === undefined) {
    throw new Fault('wrong-use', `the agent knows no "${shorten(route)}"`, {
      remedy: 'if git-xmpp was updated, restart the agent: git xmpp daemon stop',
    });
  }
  const bytes = await readBody(incoming);
  const body = bytes.length === 0 ? undefined : parseJson(bytes);
  const request = { path: url.pathname, query: url.searchParams, body, signal: options.signal, headers };
  const { accept, 'last-event-id': last } = incoming.headers;
  return { handler, route, request: { ...request, isEventStream: acceptsEvents(accept), ...(typeof last === 'string' && last !== '' ? { lastEventId: last } : {}) } };
}

function otherHome(ours: string, theirs: string | undefined): Fault {
  const asked = theirs === undefined ? 'a caller that names no home' : shorten(theirs);
  return new Fault('already-running', `the agent behind this socket serves ${shorten(ours)}, not ${asked}`, {
    remedy: 'give each home a socket of its own: see GIT_XMPP_HOME',
  });
}

function parseUrl(text: string): URL {
  try {
    return new URL(text, 'http://agent');
  } catch (error) {
    throw new InputFault('request path', `"${shorten(text)}" is broken`, { cause: error });
  }
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of incoming.iterator({ destroyOnReturn: false })) {
    if (!(part instanceof Uint8Array)) throw new InputFault('request body', 'is no bytes');
    length += part.length;
    if (length > MAX_BODY_BYTES) {
      // Read to its end and forgotten, so that the caller still gets to read the answer.
      incoming.resume();
      throw new Fault('too-large', `a request body may hold ${MAX_BODY_BYTES} bytes`);
    }
    parts.push(part);
  }
  return concatBytes(parts);
}
