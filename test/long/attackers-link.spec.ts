// Floods on the link of a paired peer that means harm, and more than its quota at once (docs/THREATS.md, "Paired peers, attack by attack"). Rule: the agent goes on
// as the same process, in bounded memory, and answers the person and the next link.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAttacked } from '../helpers/attacked-agent.ts';
import type { Attacked } from '../helpers/attacked-agent.ts';
import type { Device } from '../helpers/device.ts';
import { blobOf, commitWith, oidOf } from '../helpers/hostile-pack.ts';
import type { HostilePeer } from '../helpers/hostile-peer.ts';
import { bomb, FLAG, frame, FRAME, PREFACE, requestFields } from '../helpers/http2-frames.ts';
import { peakDuring, residentOf } from '../helpers/memory.ts';
import { until } from '../helpers/waiting.ts';

const MIB = 2 ** 20;

let world: Attacked;
let romeo: Device;
let eve: HostilePeer;
let serving: () => number;

beforeAll(async () => {
  world = await startAttacked();
  ({ romeo, eve, serving } = world);
});

afterAll(() => world?.stop());

describe('HTTP/2 by hand', () => {
  const hello = Buffer.concat([PREFACE, frame(FRAME.settings)]);
  const list = (stream: number, flags: number = FLAG.endHeaders | FLAG.endStream): Buffer => frame(FRAME.headers, { flags, stream, payload: requestFields('GET', '/repos') });
  const many = (count: number, make: (index: number) => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

  it.each([
    ['settings without end', () => many(30_000, () => frame(FRAME.settings))],
    ['pings without end', () => many(30_000, () => frame(FRAME.ping, { payload: Buffer.alloc(8) }))],
    ['requests that are reset at once', () => many(3000, (index) => Buffer.concat([list(2 * index + 1), frame(FRAME.reset, { stream: 2 * index + 1, payload: Buffer.alloc(4) })]))],
    ['thousands of requests at once', () => many(3000, (index) => list(2 * index + 1, FLAG.endHeaders))],
    ['headers that go on and on', () => Buffer.concat([list(1, 0), many(300, () => frame(FRAME.continuation, { stream: 1, payload: bomb(0) }))])],
    ['empty continuations without end', () => Buffer.concat([list(1, 0), many(100_000, () => frame(FRAME.continuation, { stream: 1 }))])],
    ['4 KB of headers that stand for 40 MB', () => Buffer.concat([frame(FRAME.headers, { flags: FLAG.endHeaders, stream: 1, payload: Buffer.concat([requestFields('GET', '/repos'), bomb(10_000)]) })])],
    ['a frame of 16 MiB', () => Buffer.concat([frame(FRAME.data, { stream: 1, length: 0xff_ff_ff }), Buffer.alloc(MIB)])],
    ['empty frames of a body without end', () => Buffer.concat([list(1, FLAG.endHeaders), many(50_000, () => frame(FRAME.data, { stream: 1 }))])],
    ['priorities of streams that are not there', () => many(30_000, (index) => frame(FRAME.priority, { stream: 2 * index + 1, payload: Buffer.alloc(5) }))],
    ['windows that overflow', () => many(10, () => frame(FRAME.window, { payload: Buffer.from('7fffffff', 'hex') }))],
    ['a push of its own', () => frame(FRAME.push, { flags: FLAG.endHeaders, stream: 1, payload: Buffer.concat([Buffer.from([0, 0, 0, 2]), requestFields('GET', '/repos')]) })],
    ['frames of no known kind', () => many(30_000, () => frame(0xf0, { payload: Buffer.alloc(16) }))],
    ['no HTTP/2 at all', () => Buffer.from(`GET /repos HTTP/1.1\r\n${'x: y\r\n'.repeat(10_000)}\r\n`)],
  ])('sends %s: the agent lives, in bounded memory, and the next link works', async (_what, attack) => {
    const pid = romeo.agentPid();
    const before = residentOf(pid);
    const stream = await eve.raw();
    stream.resume();
    const { own } = await peakDuring(pid, async () => {
      await new Promise<void>((resolve) => {
        stream.once('close', resolve);
        stream.write(Buffer.concat([hello, attack()]), () => setTimeout(resolve, 100));
      });
    });
    stream.destroy();
    eve.drop();
    expect(own - before).toBeLessThan(120 * MIB);
    expect(await eve.ask('GET', '/repos')).toMatchObject({ repos: [{ name: 'play' }] });
    expect(romeo.agentPid()).toBe(pid);
  });

  it('holds sixteen requests open and feeds none: the person is answered, the next link works, and no process stays', async () => {
    const held = await Promise.all(Array.from({ length: 16 }, () => eve.open('git-upload-pack', {})));
    await Promise.all(held.map(({ accepted }) => accepted));
    for (const { download } of held) download.resume();
    expect(serving()).toBeGreaterThanOrEqual(16);
    expect((await romeo.status()).repos).toHaveLength(2);
    eve.drop();
    expect(await eve.ask('GET', '/repos')).toMatchObject({ repos: [{ name: 'play' }] });
    await until(() => serving() < 3);
  });
});

describe('a peer whose quota is small', () => {
  beforeAll(async () => {
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'offer');
    eve.drop();
    await romeo.stop();
    await romeo.git(romeo.dir, 'config', '-f', path.join(romeo.home, 'config'), 'xmpp.quota', '250k');
    await rm(path.join(romeo.home, 'state/quota.json'), { force: true });
    await romeo.xmpp('daemon', 'start');
    await romeo.event(({ type }) => type === 'online');
  });

  it('sends eight slices of 100 KB at once, and no more than the quota gets in', async () => {
    const slices = Array.from({ length: 8 }, (_, index) => {
      const blob = blobOf(crypto.getRandomValues(new Uint8Array(50_000)));
      const more = blobOf(crypto.getRandomValues(new Uint8Array(50_000)));
      return { ...commitWith([{ mode: '100644', name: 'a', oid: oidOf(blob) }, { mode: '100644', name: 'b', oid: oidOf(more) }], [blob, more]), index };
    });
    await eve.link();
    const outcomes = await Promise.all(slices.map(({ tip, pack, index }) => eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-${index}`, to: tip }], pack)));
    const taken = outcomes.filter(({ exit }) => exit === 0);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThanOrEqual(2);
    expect(outcomes.some(({ words }) => words.includes('quota of this device is used up'))).toBe(true);
    expect(world.look().objects.filter((name) => name.includes('tmp_'))).toEqual([]);
  });
});
