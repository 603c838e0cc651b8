// Bodies that leave their link for a lane and come back: real TLS on real sockets beside a whole link, and peers that lie.

import { createHash, randomBytes } from 'node:crypto';
import type { ClientHttp2Session } from 'node:http2';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TcpCarrier } from '../../../src/carriers/tcp-carrier.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import { encodeHello, LANE_PROTOCOL } from '../../../src/link/lane-format.ts';
import type { LaneName } from '../../../src/link/lane-format.ts';
import { openService, requestJson } from '../../../src/link/services.ts';
import type { ServiceStream } from '../../../src/link/services.ts';
import type { Bucket } from '../../../src/link/limit-machine.ts';
import { makeBucket } from '../../../src/link/limit-source.ts';
import { LimitedCarrier } from '../../../src/link/limited-carrier.ts';
import { FAR_ADDRESS, NEAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { LinkWorld, newLinkId } from '../../helpers/link-world.ts';
import { startScript } from '../../helpers/served-process.ts';
import type { TestProcess } from '../../helpers/served-process.ts';
import { connectPair } from '../../helpers/tcp-pair.ts';

const PATH = '/repos/0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11/git-upload-pack';
const SIZE = 8 << 20;

interface Lane {
  readonly name: LaneName;
  readonly near: Socket;
  readonly far: Socket;
}

/** A link with a service on it, and every lane that was opened. */
class LaneWorld {
  readonly world: LinkWorld;
  readonly lanes: Lane[] = [];
  readonly linkId = newLinkId();
  process: TestProcess | undefined;
  /** Called with each lane before it is handed over; what it throws is why there is none. */
  onLane: (lane: Lane) => void = () => undefined;
  /** What either end may send on lanes. */
  buckets: readonly Bucket[] = [];
  #count = 0;

  constructor(script: string) {
    const service = (): Promise<TestProcess> => Promise.resolve((this.process = startScript(script)));
    this.world = new LinkWorld({ handlers: { service, carriers: () => Promise.resolve(undefined) }, carrier: { kind: 'direct' } });
  }

  dial(): Promise<DialledLink> {
    return this.world.dial({ linkId: this.linkId, openOwn: (session, _to, lane) => (lane === undefined ? Promise.reject(new Fault('tcp', 'none')) : this.#open(session, lane)) });
  }

  /** Tells the far end of a lane and hands it one end of a connection. */
  async offer(session: ClientHttp2Session, lane: LaneName): Promise<Lane & { readonly sid: string }> {
    this.#count += 1;
    const sid = `lane-${this.#count}`;
    await requestJson(session, { method: 'POST', path: '/carriers', body: { sid, lane } }, { clock: realClock, deadlineMs: 4000 });
    const [near, far] = await connectPair();
    this.world.acceptor.accept(this.#carrier(far, sid, true));
    return { name: lane, near, far, sid };
  }

  async #open(session: ClientHttp2Session, name: LaneName): Promise<LimitedCarrier> {
    const lane = await this.offer(session, name);
    this.onLane(lane);
    this.lanes.push(lane);
    return this.#carrier(lane.near, lane.sid, false);
  }

  #carrier(socket: Socket, sid: string, isFar: boolean): LimitedCarrier {
    const peer = isFar ? NEAR_ADDRESS : FAR_ADDRESS;
    return new LimitedCarrier(new TcpCarrier({ socket, kind: 'direct', addressClass: 'lan', sid, peer, clock: realClock, early: new Uint8Array(0) }), () => this.buckets, realClock);
  }
}

/** A file that holds `bytes` until the spec ends. */
async function temporaryFile(bytes: Uint8Array): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-lanes-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(path.join(dir, 'bytes'), bytes);
  return path.join(dir, 'bytes');
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads all that comes down. @param look at how much has come */
async function readHash({ download }: ServiceStream, look: (bytes: number) => void = () => undefined): Promise<string> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const part of download) {
    hash.update(part as Buffer);
    count += (part as Buffer).length;
    look(count);
  }
  return hash.digest('hex');
}

/** A link, and a service on it that sends `SIZE` bytes. */
async function download(): Promise<{ readonly lanes: LaneWorld; readonly link: DialledLink; readonly hash: string; readonly start: () => Promise<ServiceStream> }> {
  const bytes = randomBytes(SIZE);
  const lanes = new LaneWorld(`cat ${await temporaryFile(bytes)}; exit 3`);
  const link = await lanes.dial();
  const start = async (): Promise<ServiceStream> => {
    const service = openService(link.session, PATH, {});
    await service.accepted;
    service.upload.end();
    return service;
  };
  return { lanes, link, hash: hashOf(bytes), start };
}

/**
 * Sends a large body to a program of the other side.
 * @param before is told how much has been written before each part
 * @returns what the program answered, and the hash of what was sent
 */
async function upload(lanes: LaneWorld, before: (at: number) => void = () => undefined): Promise<{ readonly answer: string; readonly hash: string }> {
  const link = await lanes.dial();
  const service = openService(link.session, PATH, {});
  await service.accepted;
  const bytes = randomBytes(SIZE);
  const reading = (async () => Buffer.concat((await service.download.toArray()) as Buffer[]).toString())();
  for (let at = 0; at < SIZE; at += 100_000) {
    before(at);
    if (!service.upload.write(bytes.subarray(at, at + 100_000))) await new Promise((resolve) => service.upload.once('drain', resolve));
  }
  service.upload.end();
  return { answer: await reading, hash: hashOf(bytes) };
}

describe('a bulk lane', () => {
  it('carries a large body down, and the end comes behind all of it', async () => {
    const { lanes, link, hash, start } = await download();
    const service = await start();
    expect(await readHash(service)).toBe(hash);
    expect(await service.end).toMatchObject({ exitCode: 3 });
    expect(lanes.lanes.map(({ name }) => name.way)).toEqual(['down']);
    // What the link itself brought is less than went over the lane.
    expect(lanes.world.pairs[0]?.near.stats.bytesIn).toBeLessThan(SIZE * 0.75);
    expect(link.stats().received).toBeGreaterThan(SIZE);
    expect(lanes.world.acceptor.refusals).toBe(0);
  });

  it('carries a large body up', async () => {
    const lanes = new LaneWorld('sha256sum');
    const { answer, hash } = await upload(lanes);
    expect(answer).toContain(hash);
    expect(lanes.lanes.map(({ name }) => name.way)).toEqual(['up']);
    expect(lanes.process?.settled).toEqual([[0, SIZE]]);
  });

  it.each(['near', 'far'] as const)('that is cut at its %s end loses nothing: the body goes on over the link', async (end) => {
    const { lanes, hash, start } = await download();
    const service = await start();
    const cut = (count: number): void => {
      if (count > 4 << 20) lanes.lanes[0]?.[end].destroy();
    };
    expect(await readHash(service, cut)).toBe(hash);
    expect(await service.end).toMatchObject({ exitCode: 3 });
    // Another one may be had 2.5 s later, which a busy machine can take for the rest.
    expect(lanes.lanes.length).toBeLessThanOrEqual(2);
    expect(lanes.world.acceptor.refusals).toBe(0);
  });

  it('that is cut while a body goes up loses nothing', async () => {
    const lanes = new LaneWorld('sha256sum');
    const { answer, hash } = await upload(lanes, (at) => {
      if (at > 4 << 20) lanes.lanes[0]?.far.destroy();
    });
    expect(answer).toContain(hash);
    expect(lanes.lanes.length).toBeLessThanOrEqual(2);
  });

  it('that cannot be had costs nothing but the try', async () => {
    const { lanes, hash, start } = await download();
    lanes.onLane = () => {
      throw new Fault('tcp', 'no way');
    };
    expect(await readHash(await start())).toBe(hash);
  });

  it('is not taken where a limit of the user’s own holds', async () => {
    const { lanes, hash, start } = await download();
    lanes.buckets = [makeBucket(1_000_000_000, realClock)];
    expect(await readHash(await start())).toBe(hash);
    expect(lanes.world.pairs[0]?.near.stats.bytesIn).toBeGreaterThan(SIZE);
  });

  it('is left where such a limit is set while it runs', async () => {
    const { lanes, hash, start } = await download();
    const limit = (count: number): void => {
      if (count > 4 << 20) lanes.buckets = [makeBucket(1_000_000_000, realClock)];
    };
    expect(await readHash(await start(), limit)).toBe(hash);
    expect(lanes.lanes[0]?.near.destroyed).toBe(true);
  });
});

describe('a peer that lies of lanes', () => {
  const ask = (link: DialledLink, body: unknown): Promise<unknown> => requestJson(link.session, { method: 'POST', path: '/carriers', body }, { clock: realClock, deadlineMs: 4000 });

  it('is refused and counted: a stream that does not run, a fifth lane, an offset that was never sent', async () => {
    const { lanes, link, hash, start } = await download();
    const service = await start();
    await expect(ask(link, { sid: 'x', lane: { stream: 999, way: 'down' } })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(ask(link, { sid: 'x', lane: { stream: 0, way: 'down' } })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(ask(link, { lane: { stream: service.stream.id, way: 'down', lost: true, received: 2 ** 40 } })).rejects.toMatchObject({ code: 'bad-input' });
    const many = Array.from({ length: 9 }, (_, index) => ask(link, { sid: `many-${index}`, lane: { stream: service.stream.id, way: 'up' } }).then(() => 'taken', () => 'refused'));
    expect((await Promise.all(many)).filter((each) => each === 'taken').length).toBeLessThanOrEqual(4);
    expect(lanes.world.acceptor.refusals).toBeGreaterThanOrEqual(7);
    expect(await readHash(service)).toBe(hash);
  });

  it('is refused and counted where it shows another key, or names another stream', async () => {
    const { lanes, link, hash, start } = await download();
    const service = await start();
    const name = { stream: service.stream.id ?? 0, way: 'down' } as const;
    const strange = new LinkWorld().near;
    for (const [own, hello] of [
      [strange, encodeHello(lanes.linkId, name)],
      [lanes.world.near, encodeHello(newLinkId(), name)],
      [lanes.world.near, encodeHello(lanes.linkId, { ...name, stream: name.stream + 2 })],
    ] as const) {
      const before = lanes.world.acceptor.refusals;
      const { near } = await lanes.offer(link.session, name);
      const socket = tls.connect({ socket: near, key: own.keyPem, cert: own.certPem, rejectUnauthorized: false, ALPNProtocols: [LANE_PROTOCOL] });
      socket.on('error', () => undefined);
      socket.write(hello);
      await new Promise((resolve) => socket.once('close', resolve));
      expect(lanes.world.acceptor.refusals).toBe(before + 1);
    }
    expect(await readHash(service)).toBe(hash);
  });

  it('is refused and counted where it acknowledges bytes that were never sent; the body goes on', async () => {
    const { lanes, link, hash, start } = await download();
    const service = await start();
    const name = { stream: service.stream.id ?? 0, way: 'down' } as const;
    const { near } = await lanes.offer(link.session, name);
    const { keyPem, certPem } = lanes.world.near;
    const socket = tls.connect({ socket: near, key: keyPem, cert: certPem, rejectUnauthorized: false, ALPNProtocols: [LANE_PROTOCOL] });
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(encodeHello(lanes.linkId, name));
    socket.write(Buffer.from('001fffffffffffff', 'hex'));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(lanes.world.acceptor.refusals).toBe(1);
    await ask(link, { lane: { ...name, lost: true } });
    expect(await readHash(service)).toBe(hash);
  });
});
