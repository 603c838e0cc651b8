// A shim's stream to a peer: found by petname, joined with a real process behind a real link.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import { DIRECT_STREAMS, findPeer, openStream } from '../../../src/agent/streams.ts';
import { Transfers } from '../../../src/agent/transfers.ts';
import { formatOutputPlace } from '../../../src/control/output-format.ts';
import { EXIT, FrameDecoder, GO, STDERR, STDOUT } from '../../../src/control/stream-format.ts';
import { Peers } from '../../../src/home/peers.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Links } from '../../../src/link/links.ts';
import { FAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';
import { makeFifo } from '../../helpers/fifo.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { startScript } from '../../helpers/served-process.ts';

const NOTES = makeSharedRepo('notes').id;
const SCRIPT = 'echo asked >&2; tr a-z A-Z; exit 3';
/** What stands for the git of the other side. */
let script = SCRIPT;

const transfers = new Transfers({ clock: realClock, events: { emit: () => undefined } });
let peers: Peers;

beforeEach(async () => {
  peers = await Peers.open(join(makeFolder(), 'peers.json'));
});

describe('findPeer', () => {
  it('finds a peer by its petname, in any case', async () => {
    await peers.add(makePeer('laptop'));
    expect(findPeer(peers, 'Laptop')).toEqual(makePeer('laptop'));
  });

  it('names the peers there are where it is none of them', async () => {
    await peers.add(makePeer('laptop'));
    await peers.add(makePeer('desktop'));
    expect(() => findPeer(peers, 'lap')).toThrow(
      expect.objectContaining({ code: 'no-such-peer', message: 'no peer is called "lap"', remedy: 'paired are: laptop, desktop' }),
    );
  });

  it('says how to pair where there are no peers', () => {
    expect(() => findPeer(peers, 'laptop')).toThrow(
      expect.objectContaining({ code: 'no-such-peer', remedy: expect.stringContaining('git xmpp pair') }),
    );
  });

  it.each(['', '-x', '../laptop', 'HEAD', 'a b', 'laptop\n'])('refuses %j, which nobody can be called', (text) => {
    expect(() => findPeer(peers, text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});

describe('openStream', () => {
  let world: LinkWorld;
  let links: Links;
  let caller: Duplex;
  let socket: Duplex;
  let refusal: Fault | undefined;
  let requireRunning: (id?: string) => void;
  let events: Omit<AgentEvent, 'id' | 'at'>[];
  let exchanges: Exchanges;

  beforeEach(async () => {
    script = SCRIPT;
    refusal = undefined;
    world = new LinkWorld({
      handlers: {
        service: () => (refusal === undefined ? Promise.resolve(startScript(script)) : Promise.reject(refusal)),
        repos: () => Promise.resolve({ repos: [{ repo: NOTES, name: 'notes', roots: [] }] }),
      },
    });
    await peers.add(makePeer('laptop', { device: world.far.device, spki: world.far.spki }));
    links = new Links({
      dial: () => world.dial(),
      findAddress: () => Promise.resolve(FAR_ADDRESS),
      nameOf: () => 'laptop',
      lastSeen: () => '',
      onUp: () => undefined,
      onDown: () => undefined,
      clock: realClock,
      log: silentLog,
    });
    [caller, socket] = duplexPair();
    requireRunning = () => undefined;
    events = [];
    exchanges = new Exchanges({ emit: (event) => events.push(event) });
  });

  function open(headers: Readonly<Record<string, string>> = {}, knownRepo: typeof NOTES | undefined = NOTES): Promise<void> {
    const asked = { peer: 'laptop', repo: 'notes', service: 'git-upload-pack', ...headers };
    const { signal } = new AbortController();
    const request = { path: 'output' in headers ? DIRECT_STREAMS : '/streams', query: new URLSearchParams(), body: undefined, signal, headers: asked };
    return openStream({ peers, links, clock: realClock, transfers, knownRepo: () => knownRepo, pauses: { requireRunning }, exchanges }, request, socket);
  }

  /** What the caller gets until the end, by channel. */
  async function readAll(): Promise<Record<number, string>> {
    const frames = new FrameDecoder();
    const told: Record<number, string> = {};
    caller.on('data', (part: Buffer) => {
      for (const { channel, payload } of frames.receive(part)) {
        told[channel] = (told[channel] ?? '') + (channel === EXIT ? String(payload[0]) : Buffer.from(payload).toString());
      }
    });
    await once(caller, 'end');
    return told;
  }

  it.each([NOTES, undefined])('passes on bytes, half-close, words and exit code (repository known: %s)', async (known) => {
    await open({}, known);
    caller.end('hello');
    expect(await readAll()).toEqual({ [STDOUT]: 'HELLO', [STDERR]: 'asked\n', [EXIT]: '3' });
  });

  it('writes into the pipe that the shim names, once the shim lets it, and tells the exit code when all is written', async () => {
    const fifo = await makeFifo();
    await open({ output: formatOutputPlace(fifo.place) });
    caller.write(Uint8Array.of(GO));
    caller.end('hello');
    const told = await readAll();
    fifo.close();
    expect(told).toEqual({ [STDERR]: 'asked\n', [EXIT]: '3' });
    expect(await text(fifo.reader)).toBe('HELLO');
  });

  it('waits with what it writes there until the shim lets it', async () => {
    const fifo = await makeFifo();
    await open({ output: formatOutputPlace(fifo.place) });
    const said = text(fifo.reader);
    fifo.close();
    // Nobody else has it open: had it been opened before, this would not be the end.
    expect(await said).toBe('');
    caller.destroy();
  });

  it('sends it through the shim where its pipe is not to be had', async () => {
    const fifo = await makeFifo();
    await open({ output: formatOutputPlace({ ...fifo.place, fd: 999 }) });
    caller.write(Uint8Array.of(GO));
    caller.end('hello');
    expect(await readAll()).toEqual({ [STDOUT]: 'HELLO', [STDERR]: 'asked\n', [EXIT]: '3' });
    fifo.close();
  });

  it('ends for a shim that says anything else first', async () => {
    const fifo = await makeFifo();
    await open({ output: formatOutputPlace(fifo.place) });
    caller.write('hello');
    await new Promise((resolve) => socket.once('close', resolve));
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'done-syncing', isGood: false }));
    fifo.close();
  });

  it.each([
    ['it had an answer', false],
    ['it let its pipe be written to', true],
  ])('ends what runs for a shim that was ended before %s, though the other side says nothing', async (_when, isDirect) => {
    script = 'exec sleep 600';
    const fifo = await makeFifo();
    const place = join(makeFolder(), 'door');
    const server = createServer({ allowHalfOpen: true }).listen(place);
    const shim = connect(place);
    const [[door]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(shim, 'connect')]);
    socket = door;
    await open(isDirect ? { output: formatOutputPlace(fifo.place) } : {});
    shim.destroy();
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'done-syncing', isGood: false }), 5_000);
    fifo.close();
    server.close();
  });

  it('cleans the words of the other side before they reach a terminal', async () => {
    script = String.raw`printf '\033]0;x\007words\n' >&2; printf '000b\002\033[2Jx'`;
    await open();
    caller.end();
    expect(await readAll()).toEqual({ [STDOUT]: '000b\u0002?[2Jx', [STDERR]: '?]0;x?words\n', [EXIT]: '0' });
  });

  it('has words for a git that was killed there, which had none itself', async () => {
    script = 'kill -9 $$';
    await open();
    expect(await readAll()).toEqual({ [STDERR]: 'git-xmpp: laptop: git was ended there before it was done; try again\n', [EXIT]: '255' });
  });

  it('tells a link that was lost as a failure, naming the peer', async () => {
    await open();
    links.drop(world.far.device, new Fault('peer-offline', 'it has gone'));
    const told = await readAll();
    expect(told[EXIT]).toBe('1');
    expect(told[STDERR]).toMatch(/^git-xmpp: laptop: /);
  });

  it('says which repository the peer does not show, and where to look', async () => {
    refusal = new Fault('no-such-repo', 'no');
    await expect(open()).rejects.toMatchObject({
      code: 'no-such-repo',
      message: 'laptop shows no repository "notes"',
      remedy: 'git xmpp repos laptop',
    });
  });

  it('is told as an exchange with that peer, from its beginning to its end', async () => {
    await open();
    expect(events).toMatchObject([{ type: 'syncing', peer: 'laptop', repo: 'notes' }]);
    caller.end();
    await readAll();
    expect(events.slice(1)).toMatchObject([{ type: 'done-syncing', peer: 'laptop', repo: 'notes' }]);
  });

  it('is cut short when its repository is paused, and says so', async () => {
    await open();
    exchanges.stop(NOTES);
    const told = await readAll();
    expect(told[STDERR]).toContain('paused here; to go on: git xmpp resume');
    expect(told[EXIT]).toBe('1');
    expect(events).toMatchObject([{ type: 'syncing' }, { type: 'done-syncing', isGood: false }]);
  });

  it('asks nobody for a repository that is paused', async () => {
    requireRunning = (id) => {
      if (id === NOTES) throw new Fault('paused', 'notes is paused', { remedy: 'git xmpp resume' });
    };
    await expect(open()).rejects.toMatchObject({ code: 'paused', remedy: 'git xmpp resume' });
    expect(world.pairs).toEqual([]);
  });

  it("passes on the peer's refusal", async () => {
    refusal = new Fault('not-granted', 'you may not');
    await expect(open()).rejects.toMatchObject({ code: 'not-granted', message: 'you may not' });
  });

  it.each([{ service: 'git-shell' }, { service: '' }, { repo: '../notes' }, { peer: '' }, { protocol: 'version=2;x' }, { output: '/tmp/x' }])(
    'refuses %j before anybody is asked',
    async (headers) => {
      await expect(open(headers)).rejects.toMatchObject({ code: 'bad-input' });
      expect(world.pairs).toEqual([]);
    },
  );
});
