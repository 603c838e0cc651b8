// The asking half of a link: requests over HTTP/2 (docs/PROTOCOL.md). Rule: a stream that ends without its exit code was lost, not done.

import type { ClientHttp2Session, ClientHttp2Stream, ClientSessionRequestOptions, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { Fault, InputFault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { clean } from '../lib/steering.ts';
import { watchStream } from './bulk-gate.ts';
import { HEADER, MAX_JSON_BYTES, parseExit, parseStderr, parseToldMap } from './http-format.ts';
import type { ToldMap } from './http-format.ts';
import { bodiesOf } from './lanes.ts';

/** How a git service ended on the other side. */
export interface ServiceEnd {
  readonly exitCode: number;
  readonly stderr: string;
  /** The answerer's own map, where it told it. */
  readonly told: ToldMap | undefined;
}

/** A git service running on the other side: a byte stream with half-close, and its end. */
export interface ServiceStream {
  readonly stream: ClientHttp2Stream;
  /** Its output: what is read, instead of the stream itself. */
  readonly download: Readable;
  /** Where its input is written: bulk waits here for its turn. */
  readonly upload: Writable;
  /** Resolves when the service has started; rejects with the other side's refusal. */
  readonly accepted: Promise<void>;
  /** Rejects with Fault `timeout` when the link was lost before the exit code came. */
  readonly end: Promise<ServiceEnd>;
}

/** What requests are made on: the session of a link, or one that gives up with a signal (`untilAborted`). */
export type Requester = Pick<ClientHttp2Session, 'request' | 'destroyed'>;

/** The same session; every request made on it is given up when `signal` aborts. */
export function untilAborted(session: Requester, signal: AbortSignal): Requester {
  return {
    request: (headers, options) => session.request(headers, { ...options, signal }),
    get destroyed() {
      return session.destroyed;
    },
  };
}

/** A request with a JSON body, or none, answered by JSON, or nothing (`undefined`). */
export async function requestJson(
  session: Requester,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
  options: { readonly clock: Clock; readonly deadlineMs: number },
): Promise<unknown> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const stream = openStream(session, { ':method': request.method, ':path': request.path }, { endStream: body === undefined });
  const answer = readAnswer(stream);
  if (body !== undefined) stream.end(body);
  const late = (): Fault => {
    stream.close(constants.NGHTTP2_CANCEL);
    return new Fault('timeout', 'the other device did not answer in time');
  };
  return withDeadline(answer, options.deadlineMs, options.clock, late);
}

/** Starts a git service, or an offer, on the other side. */
export function openService(session: Requester, path: string, headers: Readonly<Record<string, string>>): ServiceStream {
  const stream = openStream(session, { ':method': 'POST', ':path': path, ...headers }, { endStream: false });
  // Two pipelines and those who watch for the end: more than the ten that Node takes for a leak.
  stream.setMaxListeners(32);
  const { input, output } = bodiesOf(stream);
  const accepted = new Promise<void>((resolve, reject) => {
    const onClose = (): void => reject(lost());
    stream.once('response', (response) => {
      stream.off('close', onClose);
      if (statusOf(response) === 200) return resolve();
      // Nothing is sent to one that refused: the stream is given back, or the next ones would wait for it.
      const refused = readBody(stream).then((text) => reject(parseRefusal(text)), reject);
      void refused.finally(() => stream.close());
    });
    stream.once('error', (cause) => reject(lost(cause)));
    stream.once('close', onClose);
  });
  const end = new Promise<ServiceEnd>((resolve, reject) => {
    let trailers: IncomingHttpHeaders = {};
    // A service that writes nothing answers when it has ended, in one header block.
    stream.once('response', (response) => {
      trailers = response;
    });
    stream.once('trailers', (received) => {
      trailers = received;
    });
    const tell = (): void => {
      const exitCode = parseExit(textOf(trailers[HEADER.gitExit]));
      const header = (name: string): string | undefined => textOf(trailers[name]);
      if (exitCode !== undefined) resolve({ exitCode, stderr: parseStderr(header(HEADER.gitStderr)), told: toldIn(header) });
    };
    // Nothing follows the trailers, though the stream stays open until this side has ended too: a process may end before its input.
    input.once('end', tell);
    input.once('close', () => {
      tell();
      reject(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? cutOff() : lost());
    });
  });
  // Both are awaited by callers at their own time; a refusal must not become an unhandled rejection meanwhile.
  accepted.catch(() => undefined);
  end.catch(() => undefined);
  return { stream, download: input, upload: output, accepted, end };
}

/** @throws Fault `timeout` on a session that has ended */
function openStream(session: Requester, headers: OutgoingHttpHeaders, options: ClientSessionRequestOptions): ClientHttp2Stream {
  // From Node 24 on a session that has ended does not throw: it would say so by the stream, later.
  if (session.destroyed) throw lost();
  try {
    const stream = session.request(headers, options);
    watchStream(stream);
    return stream;
  } catch (cause) {
    throw lost(cause);
  }
}

function readAnswer(stream: ClientHttp2Stream): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(lost());
    stream.once('error', (cause) => reject(lost(cause)));
    stream.once('close', onClose);
    stream.once('response', (headers) => {
      // From here on the body's own end decides; it may be read only after the stream has closed.
      stream.off('close', onClose);
      const read = async (): Promise<unknown> => {
        const text = await readBody(stream);
        const status = statusOf(headers);
        if (status === 204) return undefined;
        if (status === 200) return parseJson(text);
        throw parseRefusal(text);
      };
      read().then(resolve, reject);
    });
  });
}

/** All of an answer's body. By events, not by iteration: that takes a stream whose other half was not read to its end for a lost one, from Node 24 on. */
function readBody(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    stream.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length <= MAX_JSON_BYTES) return;
      reject(new InputFault('answer', `is larger than ${MAX_JSON_BYTES} bytes`));
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once('end', () => {
      if (stream.aborted || stream.rstCode !== 0) reject(lost());
      else resolve(Buffer.concat(parts).toString('utf8'));
    });
    stream.once('error', (cause) => reject(lost(cause)));
    stream.once('close', () => reject(lost()));
  });
}

/** JSON from a peer. @throws InputFault */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputFault('JSON', 'from the other device is broken');
  }
}

/** The codes that a peer may give as its reason; any other is its own trouble. */
const REFUSALS: readonly FaultCode[] = ['no-such-repo', 'not-granted', 'no-such-peer', 'exists', 'newer-protocol', 'bad-input', 'refused-repository', 'disk-full', 'throttled', 'paused', 'not-open'];

/** The other side's refusal as a fault; its words are bounded and marked as its own. */
export function parseRefusal(text: string): Fault {
  const { code, message } = readRefusal(text);
  const known = REFUSALS.find((each) => each === code);
  const words = typeof message === 'string' && message !== '' ? clean(message.slice(0, 300)) : 'it gave no reason';
  return new Fault(known ?? 'agent', known === undefined ? `the other device failed: ${words}` : words);
}

/** What a refusal says, as far as it says anything. */
function readRefusal(text: string): { readonly code: unknown; readonly message: unknown } {
  const nothing = { code: '', message: '' };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? { ...nothing, ...value } : nothing;
  } catch {
    return nothing;
  }
}

/** The other side resets what it serves when that may go on no more. */
function cutOff(): Fault {
  return new Fault('not-granted', 'the other device ended it: what this device may do with the repository was changed there');
}

function lost(cause?: unknown): Fault {
  return new Fault('timeout', 'the link to the other device was lost', cause === undefined ? {} : { cause });
}

function statusOf(headers: IncomingHttpHeaders & { ':status'?: number | undefined }): number {
  return headers[':status'] ?? 0;
}

/** One whose word for its own map cannot be read has ended the service all the same. */
function toldIn(header: (name: string) => string | undefined): ToldMap | undefined {
  try {
    return parseToldMap(header);
  } catch {
    return undefined;
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
