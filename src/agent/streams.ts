// A git service on a peer for a shim at the door: frames towards the shim, raw bytes from it (docs/PROTOCOL.md, "The door").
// Rule: half-close goes both ways, the exit code is told last, and a lost link is never told as success.

import type { Duplex } from 'node:stream';
import { asFault, Fault } from '../lib/errors.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { parsePetname, parseRepoName } from '../lib/names.ts';
import type { RepoId } from '../lib/names.ts';
import { parseOutputPlace } from '../control/output-format.ts';
import type { OutputPlace } from '../control/output-format.ts';
import { STDERR, encodeExit, encodeFrame, encodeFrames } from '../control/stream-format.ts';
import type { ControlRequest } from '../control/server.ts';
import type { Peer, Peers } from '../home/peers.ts';
import { NO_EXIT_CODE } from '../git/run.ts';
import { SideBandWords } from '../git/side-band-machine.ts';
import { HEADER, parseGitProtocol, parseService } from '../link/http-format.ts';
import type { DialledLink } from '../link/dialled-link.ts';
import type { Links } from '../link/links.ts';
import { passedBytes } from '../link/bulk-gate.ts';
import { openService } from '../link/services.ts';
import type { ServiceStream } from '../link/services.ts';
import type { Pauses } from './pauses.ts';
import { findPeerRepo } from './peer-repos.ts';
import { openShimOutput } from './shim-output.ts';
import type { Transfer, Transfers } from './transfers.ts';
import type { Exchange, Exchanges } from './exchanges.ts';

export interface StreamParts {
  readonly peers: Peers;
  readonly links: Links;
  readonly clock: Clock;
  readonly transfers: Transfers;
  /** Repositories that peers named in their digests, so that a name needs no question. */
  readonly knownRepo: (peer: Peer, name: string) => RepoId | undefined;
  readonly pauses: Pick<Pauses, 'requireRunning'>;
  readonly exchanges: Pick<Exchanges, 'begin'>;
}

/** Of nobody who waits: only what it holds is held for so long. */
const ASK_SHIM_MS = 1_000;

/** The route of a stream whose shim names the pipe that git reads. */
export const DIRECT_STREAMS = '/streams/direct';

/** Opens what the headers `peer`, `repo`, `service` and `protocol` ask for, and joins it with `socket`. */
export async function openStream(parts: StreamParts, request: ControlRequest, socket: Duplex): Promise<void> {
  const { headers } = request;
  const service = parseService(headers['service'] ?? '');
  const protocol = parseGitProtocol(headers['protocol']);
  const peer = findPeer(parts.peers, headers['peer'] ?? '');
  const name = parseRepoName(headers['repo'] ?? '');
  const place = request.path === DIRECT_STREAMS ? parseOutputPlace(headers['output'] ?? '') : undefined;
  parts.pauses.requireRunning();
  const id = parts.knownRepo(peer, name) ?? (await findPeerRepo(parts.links, parts.clock, { peer, name })).repo;
  parts.pauses.requireRunning(id);
  const asked = protocol === undefined ? {} : { [HEADER.gitProtocol]: protocol };
  let opened: ServiceStream;
  try {
    opened = await parts.links.ask(peer.device, async (session) => {
      const started = openService(session, `/repos/${id}/${service}`, asked);
      request.signal.addEventListener('abort', () => started.stream.destroy());
      // Whoever went away while the link was made tells it no second time.
      if (request.signal.aborted) started.stream.destroy();
      await started.accepted;
      return started;
    });
  } catch (error) {
    const fault = asFault(error, `opening ${service} on ${peer.petname}`);
    if (fault.code !== 'no-such-repo') throw fault;
    throw new Fault('no-such-repo', `${peer.petname} shows no repository "${name}"`, { remedy: `git xmpp repos ${peer.petname}`, cause: error });
  }
  const isFetch = service === 'git-upload-pack';
  const { device, petname } = peer;
  const what = { repo: id, repoName: name, device, petname };
  const transfer = parts.transfers.begin(isFetch ? { ...what, kind: 'fetch', direction: 'down' } : { ...what, kind: 'push', direction: 'up' });
  void relay(opened, socket, { peer, link: parts.links.link(peer.device), transfer, isFetch, exchange: parts.exchanges.begin({ id, name }, petname), place, clock: parts.clock });
}

/** What a person's git says where it is cut short. */
const PAUSED = new Fault('paused', 'this repository was paused here; to go on: git xmpp resume');

/** The peer of that petname. @throws Fault `no-such-peer` with the ones there are */
export function findPeer(peers: Peers, text: string): Peer {
  const peer = peers.byPetname(parsePetname(text));
  if (peer !== undefined) return peer;
  const gone = peers.whyGone(text);
  if (gone !== undefined) throw new Fault('not-paired', gone, { remedy: 'git xmpp peers' });
  const names = peers.list().map(({ petname }) => petname);
  const remedy = names.length === 0 ? 'run "git xmpp pair" on both devices first' : `paired are: ${names.join(', ')}`;
  throw new Fault('no-such-peer', `no peer is called "${text}"`, { remedy });
}

interface Relayed {
  readonly peer: Peer;
  readonly link: DialledLink | undefined;
  readonly transfer: Transfer;
  readonly isFetch: boolean;
  readonly exchange: Exchange;
  readonly place: OutputPlace | undefined;
  readonly clock: Clock;
}

/**
 * A shim that was ended looks like one whose git has said all, and a peer that says nothing either would keep the stream: from then on it is asked by frames
 * without content, and one that is gone breaks its socket.
 */
function watchShim(socket: Duplex, clock: Clock): void {
  let next: Timer | undefined;
  const ask = (): void => {
    if (socket.destroyed || socket.writableEnded) return;
    // Where something waits for it already, that is what asks.
    if (socket.writableLength === 0) socket.write(encodeFrame(STDERR, new Uint8Array()));
    next = clock.setTimer(ASK_SHIM_MS, ask);
  };
  socket.once('close', () => next?.cancel());
  ask();
}

/** Hands on what the shim says, and its end, which may have come while its pipe was opened. */
function feed(upload: ServiceStream['upload'], socket: Duplex, clock: Clock): void {
  socket.on('data', (part: Buffer) => {
    if (!upload.destroyed && !upload.write(part)) socket.pause();
  });
  upload.on('drain', () => socket.resume());
  const onEnd = (): void => {
    upload.end();
    watchShim(socket, clock);
  };
  if (socket.readableEnded) onEnd();
  else socket.once('end', onEnd);
  socket.resume();
}

async function relay({ stream, download, upload, end }: ServiceStream, socket: Duplex, { peer, link, transfer, isFetch, exchange, place, clock }: Relayed): Promise<void> {
  exchange.signal.addEventListener('abort', () => stream.destroy(), { once: true });
  let received = 0;
  transfer.part(() => (isFetch ? received : passedBytes(upload)));
  socket.once('close', () => stream.destroy());
  socket.on('error', () => stream.destroy());
  const output = await openShimOutput(socket, place);
  feed(upload, socket, clock);
  let isReaderGone = false;
  output.onGone = () => {
    isReaderGone = true;
    stream.destroy();
  };
  output.onRoom = () => download.resume();
  const bands = new SideBandWords();
  download.on('data', (part: Buffer) => {
    received += part.length;
    if (!output.add(bands.clean(part))) download.pause();
  });
  try {
    const { exitCode, stderr } = await end;
    await output.end();
    transfer.end(exitCode === 0);
    exchange.done(exitCode === 0);
    // A git that was killed there has no words, and git here only sees that the other end is gone.
    const words = stderr === '' && exitCode === NO_EXIT_CODE ? `git-xmpp: ${peer.petname}: git was ended there before it was done; try again\n` : stderr;
    if (words !== '') for (const frame of encodeFrames(STDERR, Buffer.from(words))) socket.write(frame);
    socket.end(encodeExit(exitCode));
  } catch (error) {
    transfer.end(false);
    await output.end();
    exchange.done(false);
    let { message } = exchange.signal.aborted ? PAUSED : asFault(error, `talking to ${peer.petname}`);
    // What ended the link says more than what that did to the stream; it is told at once of a link that has ended.
    if (!exchange.signal.aborted) link?.onClose((why) => (message = why.message));
    if (!isReaderGone) for (const frame of encodeFrames(STDERR, Buffer.from(`git-xmpp: ${peer.petname}: ${message}\n`))) socket.write(frame);
    socket.end(encodeExit(1));
  }
}
