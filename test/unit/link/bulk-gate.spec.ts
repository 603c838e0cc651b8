// Bodies through the gate of a real link: pipe, TLS and HTTP/2 over a carrier in memory that the spec holds and lets go.

import { EventEmitter, once } from 'node:events';
import http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { PassThrough, Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { gateBulk, GateGroup } from '../../../src/link/bulk-gate.ts';
import type { ServedProcess } from '../../../src/link/carry.ts';
import { openService, requestJson } from '../../../src/link/services.ts';
import type { ServiceStream } from '../../../src/link/services.ts';
import { patternBytes } from '../../helpers/carrier-ends.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const PATH = '/repos/0f0e0d0c-0b0a-4908-8706-050403020100/git-receive-pack';

/** What a process of the far side got, and whether it was killed. */
class Far {
  readonly got: Buffer[] = [];
  isKilled = false;
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly exit: Promise<number>;
  #exited: (code: number) => void = () => undefined;

  constructor() {
    this.exit = new Promise((resolve) => (this.#exited = resolve));
    this.stdin.on('data', (part: Buffer) => this.got.push(part));
    this.stdin.on('end', () => this.finish(0));
  }

  finish(code: number): void {
    this.stdout.end();
    this.#exited(code);
  }

  stderrTail(): string {
    return '';
  }

  kill(): void {
    this.isKilled = true;
    this.finish(255);
  }
}

async function startLink(): Promise<{ readonly world: LinkWorld; readonly session: ClientHttp2Session; readonly fars: Far[] }> {
  const fars: Far[] = [];
  const world = new LinkWorld({
    handlers: {
      service: () => {
        const far = new Far();
        fars.push(far);
        return Promise.resolve<ServedProcess>(far);
      },
    },
    carrier: { block: 4096, window: 2 },
  });
  return { world, session: await world.session(), fars };
}

async function open(session: ClientHttp2Session): Promise<ServiceStream> {
  const service = openService(session, PATH, {});
  service.stream.on('error', () => undefined);
  service.stream.resume();
  await service.accepted;
  return service;
}

/** A session whose pipe the spec plays: what has come through, and a round trip behind all that was let in. */
function playPipe(clock = new VirtualClock(), group = new GateGroup(clock)) {
  const [near, far] = duplexPair();
  const server = http2.performServerHandshake(far);
  const arrived = new Map<string, number>();
  server.on('stream', (stream, headers) => {
    const path = headers[':path'] ?? '';
    if (path === '/stuck') return;
    stream.on('data', (part: Buffer) => arrived.set(path, (arrived.get(path) ?? 0) + part.length));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      if (!stream.destroyed && !stream.closed) stream.respond({ ':status': 204 }, { endStream: true });
    });
  });
  const session = http2.connect('http://peer', { createConnection: () => near });
  const pipe = Object.assign(new EventEmitter(), { unsentBytes: 0, stats: { written: 0, sent: 0, acknowledged: 0, received: 0, again: 0, epoch: 0, rttMs: undefined }, carrier: undefined });
  gateBulk(session, pipe, group);
  onTestFinished(() => session.destroy());
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => session.ping(resolve));
  };
  const upload = (path: string, bytes: number): Writable => {
    const { stream, upload: body } = openService(session, path, {});
    stream.on('error', () => undefined);
    body.write(Buffer.alloc(bytes));
    return body;
  };
  return { session, pipe, clock, group, upload, arrived, settled };
}

describe('the gate of a pipe that holds unsent bytes', () => {
  it('lets the first 8 KiB of a body through, and no more', async () => {
    const { pipe, upload, arrived, settled } = playPipe();
    pipe.unsentBytes = 1;
    upload('/bulk', 300_000);
    await settled();
    expect(arrived.get('/bulk')).toBe(8192);
  });

  it('lets the rest through once carriers have taken what was there', async () => {
    const { pipe, upload, arrived, settled } = playPipe();
    pipe.unsentBytes = 1;
    upload('/bulk', 300_000);
    await settled();
    pipe.unsentBytes = 0;
    pipe.emit('taken');
    await vi.waitUntil(() => arrived.get('/bulk') === 300_000);
  });

  it('waits a tenth of a second, once, for a receiver that reads nothing', async () => {
    const { clock, upload, arrived, settled } = playPipe();
    upload('/stuck', 3_000_000);
    // By then it has filled its stream's window, piece by piece.
    for (let turn = 0; turn < 30; turn += 1) await settled();
    upload('/free', 300_000);
    clock.advance(100);
    await vi.waitUntil(() => arrived.get('/free') === 300_000, 10_000);
  });

  it('lets a request and a small body overtake', async () => {
    const { session, pipe, clock, upload, arrived, settled } = playPipe();
    pipe.unsentBytes = 1;
    upload('/bulk', 300_000);
    await settled();
    upload('/small', 500).end();
    const request = requestJson(session, { method: 'POST', path: '/map', body: { text: 'x'.repeat(20_000) } }, { clock, deadlineMs: 1000 });
    expect(await request).toBeUndefined();
    await settled();
    expect([...arrived]).toEqual([['/bulk', 8192], ['/small', 500], ['/map', 20_011]]);
  });

  it('lets bulk of one link wait for what is interactive on another, and go on when that is over', async () => {
    const slow = playPipe();
    const other = playPipe(slow.clock, slow.group);
    slow.pipe.unsentBytes = 1;
    slow.upload('/bulk', 300_000);
    await slow.settled();
    // Up to 64 KiB it is interactive itself; a piece takes half a second here.
    const passOne = async (): Promise<void> => {
      slow.clock.advance(500);
      slow.pipe.stats.sent += 1_000_000;
      slow.pipe.unsentBytes = 0;
      slow.pipe.emit('taken');
      slow.pipe.unsentBytes = 1;
      await slow.settled();
    };
    while ((slow.arrived.get('/bulk') ?? 0) < 70_000) await passOne();
    slow.clock.advance(5000);
    const body = other.upload('/small', 500);
    const before = slow.arrived.get('/bulk') ?? 0;
    await passOne();
    expect(slow.arrived.get('/bulk')).toBe(before);
    slow.pipe.unsentBytes = 0;
    body.destroy();
    await other.settled();
    slow.clock.advance(400);
    await vi.waitUntil(() => (slow.arrived.get('/bulk') ?? 0) > before);
  });

  it('makes the writer wait, and keeps little', async () => {
    const { pipe, upload, settled } = playPipe();
    pipe.unsentBytes = 1;
    const body = upload('/bulk', 100);
    let written = 0;
    while (body.write(Buffer.alloc(10_000)) && written < 10_000_000) written += 10_000;
    await settled();
    expect(written).toBeLessThan(500_000);
    expect(body.writableNeedDrain).toBe(true);
  });
});

describe('the gate', () => {
  it('carries every byte of a body, in order, and its end', async () => {
    const { session, fars } = await startLink();
    const service = await open(session);
    const bytes = patternBytes(3_000_000);
    await pipeline(Readable.from([bytes.subarray(0, 10), bytes.subarray(10, 1_000_000), bytes.subarray(1_000_000)]), service.upload);
    expect(await service.end).toMatchObject({ exitCode: 0 });
    expect(Buffer.compare(Buffer.concat(fars[0]?.got ?? []), bytes)).toBe(0);
  });

  it('ends a body with its stream, and the process at the other end with it', async () => {
    const { session, fars } = await startLink();
    const service = await open(session);
    service.upload.write(Buffer.alloc(5_000_000));
    const closed = once(service.upload, 'close');
    service.stream.close(8);
    await closed;
    expect(await fars[0]?.exit).toBe(255);
    expect(fars[0]?.isKilled).toBe(true);
  });

  it('resets the stream when its writer breaks off', async () => {
    const { session, fars } = await startLink();
    const service = await open(session);
    const broken = new PassThrough();
    broken.write('half');
    const copying = pipeline(broken, service.upload);
    await once(fars[0]?.stdin ?? service.stream, 'data');
    broken.destroy(new Error('git went away'));
    await expect(copying).rejects.toThrow('git went away');
    expect(await fars[0]?.exit).toBe(255);
    expect(fars[0]?.isKilled).toBe(true);
  });

  it('lets nothing hang when the link dies under bulk', async () => {
    const { world, session, fars } = await startLink();
    const service = await open(session);
    const copying = pipeline(Readable.from([patternBytes(20_000_000)]), service.upload);
    await once(fars[0]?.stdin ?? service.stream, 'data');
    world.acceptor.stop();
    await expect(copying).rejects.toThrow();
    await expect(service.end).rejects.toMatchObject({ code: 'timeout' });
    expect(await fars[0]?.exit).toBe(255);
  });

  it('lets two bodies get on side by side', async () => {
    const { session, fars } = await startLink();
    const [one, two] = [await open(session), await open(session)];
    const bytes = patternBytes(2_000_000);
    await Promise.all([pipeline(Readable.from([bytes]), one.upload), pipeline(Readable.from([bytes]), two.upload)]);
    expect(await Promise.all([one.end, two.end])).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
    for (const { got } of fars) expect(Buffer.compare(Buffer.concat(got), bytes)).toBe(0);
  });

  it('keeps a body whose receiver reads nothing from holding up another one', async () => {
    const { session, fars } = await startLink();
    const [stuck, free] = [await open(session), await open(session)];
    fars[0]?.stdin.pause();
    const copying = pipeline(Readable.from([patternBytes(10_000_000)]), stuck.upload).catch(() => undefined);
    await pipeline(Readable.from([patternBytes(3_000_000)]), free.upload);
    expect(await free.end).toMatchObject({ exitCode: 0 });
    expect(Buffer.concat(fars[1]?.got ?? []).length).toBe(3_000_000);
    stuck.stream.destroy();
    await copying;
  });
});
