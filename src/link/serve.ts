// The serving half of a link: which peer asks, what for, and whether it may. Rule: no stream outlives its child process, no child
// outlives its stream, and nothing that a peer does may throw out of here (an unhandled rejection would be a dead agent).

import http2 from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { asFault, Fault, formatFault, InputFault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { RepoId } from '../lib/names.ts';
import { watchStream } from './bulk-gate.ts';
import { HEADER, MAX_JSON_BYTES, parseGitProtocol, parseLinkRequest, parseOfferHeaders, parsePackHeaders, parseSliceHeaders } from './http-format.ts';
import type { GitService, LinkRequest, OfferHeaders, PackHeaders, SliceHeaders } from './http-format.ts';
import { carryProcess } from './carry.ts';
import type { ServedProcess } from './carry.ts';
import { parseJson } from './services.ts';
import { servedLanesOf } from './served-lanes.ts';

/** What the agent answers; each throws a Fault to refuse, and a repository one may not see is `no-such-repo`. */
export interface LinkHandlers<Who> {
  digest(who: Who, body: unknown): Promise<unknown>;
  repos(who: Who): Promise<unknown>;
  /** The peer is about to offer a connection of its own (XEP-0065), and says here where, since the server could say anything. */
  carriers(who: Who, body: unknown): Promise<unknown>;
  /** What the peer says of the devices of its account; answers what of it does not count. */
  devices(who: Who, body: unknown): Promise<unknown>;
  /** A map without objects: everything it names is here already. Answers what is missing, or nothing when taken in. */
  map(who: Who, repo: RepoId, body: unknown): Promise<unknown>;
  offer(who: Who, repo: RepoId, offer: OfferHeaders): Promise<ServedProcess>;
  /** A slice of a map to come. */
  partial(who: Who, repo: RepoId, slice: SliceHeaders): Promise<ServedProcess>;
  /** How much of a spooled pack is here. */
  packState(who: Who, repo: RepoId, sha256: string): Promise<unknown>;
  /** Takes a spooled pack's bytes as its input; exit code 0 says that the pack was taken in. */
  pack(who: Who, repo: RepoId, pack: PackHeaders & { readonly sha256: string }): Promise<ServedProcess>;
  service(who: Who, repo: RepoId, service: GitService, gitProtocol: string | undefined): Promise<ServedProcess>;
}

const SETTINGS = { maxConcurrentStreams: 16, maxHeaderListSize: 8192, initialWindowSize: 1 << 20, enablePush: false };
const SERVER_OPTIONS = { settings: SETTINGS, maxSessionInvalidFrames: 100, maxSessionRejectedStreams: 100 };
/** Every other refusal is 403 Forbidden; the code in the body is what counts. */
const STATUS: Partial<Record<FaultCode, number>> = { 'no-such-repo': 404, 'bad-input': 400, agent: 500 };
const MAX_RESETS = 100;
const RESET_WINDOW_MS = 10_000;

/** Speaks HTTP/2 on a secured stream until it ends. */
export function serveLink<Who>(
  stream: TLSSocket,
  who: Who,
  options: { readonly handlers: LinkHandlers<Who>; readonly log: Log; readonly now: () => number },
): ServerHttp2Session {
  const session = http2.performServerHandshake(stream, SERVER_OPTIONS);
  const { log, now } = options;
  let resets: number[] = [];
  const countReset = (): void => {
    resets = [...resets.filter((at) => at > now() - RESET_WINDOW_MS), now()];
    if (resets.length > MAX_RESETS) session.destroy();
  };
  session.on('error', (error) => log.debug('session ended', { why: error.message }));
  session.on('stream', (request: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    request.on('error', (error) => log.debug('stream ended', { why: error.message }));
    onReset(request, countReset);
    if (isGone(request)) return;
    watchStream(request);
    answer(request, headers, { who, handlers: options.handlers }).catch((error: unknown) => refuse(request, error, log));
  });
  return session;
}

/** Calls `told` once when the peer resets the request: before this could be asked, while it is answered, or behind the answer. */
function onReset(request: ServerHttp2Stream, told: () => void): void {
  if (request.aborted) return told();
  let isTold = false;
  const tell = (): void => {
    if (!isTold) told();
    isTold = true;
  };
  request.once('aborted', tell);
  request.once('close', () => {
    if (request.rstCode !== http2.constants.NGHTTP2_NO_ERROR) tell();
  });
}

async function answer<Who>(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  to: { readonly who: Who; readonly handlers: LinkHandlers<Who> },
): Promise<void> {
  const request = parseLinkRequest(headers[':method'] ?? '', headers[':path'] ?? '');
  const process = await openProcess(request, headers, to);
  if (process !== undefined) return carryProcess(stream, process);
  return answerJson(stream, await askHandler(request, stream, to));
}

function openProcess<Who>(
  request: LinkRequest,
  headers: IncomingHttpHeaders,
  { who, handlers }: { readonly who: Who; readonly handlers: LinkHandlers<Who> },
): Promise<ServedProcess> | undefined {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  if (request.kind === 'offer') return handlers.offer(who, request.repo, parseOfferHeaders(header));
  if (request.kind === 'partial') return handlers.partial(who, request.repo, parseSliceHeaders(header));
  if (request.kind === 'pack') return handlers.pack(who, request.repo, { ...parsePackHeaders(header), sha256: request.sha256 });
  if (request.kind !== 'service') return undefined;
  return handlers.service(who, request.repo, request.service, parseGitProtocol(header(HEADER.gitProtocol)));
}

async function askHandler<Who>(
  request: LinkRequest,
  stream: ServerHttp2Stream,
  { who, handlers }: { readonly who: Who; readonly handlers: LinkHandlers<Who> },
): Promise<unknown> {
  if (request.kind === 'repos') return handlers.repos(who);
  if (request.kind === 'pack-state') return handlers.packState(who, request.repo, request.sha256);
  const body = parseJson(await readBody(stream));
  if (request.kind === 'carriers') {
    const note = (): Promise<unknown> => handlers.carriers(who, body);
    return servedLanesOf(stream.session)?.asked(body, note) ?? note();
  }
  if (request.kind === 'devices') return handlers.devices(who, body);
  return request.kind === 'map' ? handlers.map(who, request.repo, body) : handlers.digest(who, body);
}

async function readBody(stream: ServerHttp2Stream): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  // The stream outlives this loop: it still has to say what was wrong with its body.
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    parts.push(part);
    length += part.length;
    if (length > MAX_JSON_BYTES) throw new InputFault('request', `is larger than ${MAX_JSON_BYTES} bytes`);
  }
  if (stream.aborted) throw new InputFault('request', 'was given up');
  return Buffer.concat(parts).toString('utf8');
}

function answerJson(stream: ServerHttp2Stream, body: unknown): void {
  if (isGone(stream)) return;
  if (body === undefined) {
    stream.respond({ ':status': 204 }, { endStream: true });
    return;
  }
  const text = JSON.stringify(body);
  stream.respond({ ':status': 200 });
  stream.end(text);
}

function refuse(stream: ServerHttp2Stream, error: unknown, log: Log): void {
  const fault = asFault(error, 'answering a peer');
  log.info('refused a request', { why: fault.code, said: fault.message });
  if (isGone(stream)) return;
  if (stream.headersSent) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  // The cause may hold paths of this machine, so of an internal fault only its code is told.
  const told = fault.code === 'internal' || fault.code === 'git' ? new Fault('agent', 'an error there; its log says more') : fault;
  stream.respond({ ':status': STATUS[told.code] ?? 403 });
  stream.end(JSON.stringify(formatFault(new Fault(told.code, told.message))));
  stream.resume();
}

/** Whether the peer has reset the stream; one that it still reads from is closed before it is destroyed, and `respond` throws. */
function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed;
}
