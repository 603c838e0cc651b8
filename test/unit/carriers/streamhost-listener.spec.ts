import net from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Interfaces } from '../../../src/carriers/addresses.ts';
import type { DirectMode } from '../../../src/home/settings-format.ts';
import { dialStreamhost } from '../../../src/carriers/socks5-dial.ts';
import { StreamhostListener } from '../../../src/carriers/streamhost-listener.ts';
import type { ListeningAt } from '../../../src/carriers/streamhost-listener.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { createLog } from '../../../src/lib/log.ts';
import { EventClock } from '../../helpers/event-clock.ts';
import { until } from '../../helpers/waiting.ts';

const [NAME, SECOND] = ['a'.repeat(40), 'b'.repeat(40)];
const LOOPBACK: Interfaces = { lo: [{ address: '127.0.0.1', internal: true }] };

function listen(clock: Clock = realClock, mode: () => DirectMode = () => 'private', interfaces = LOOPBACK) {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), 'info', () => 0);
  let refused = 0;
  const listener = new StreamhostListener({ clock, log, mode, interfaces: () => interfaces, onRefused: () => (refused += 1) });
  onTestFinished(() => [NAME, SECOND].forEach((name) => listener.release(name)));
  return { listener, lines, refused: () => refused };
}

function ask(at: ListeningAt | undefined, name: string) {
  return dialStreamhost({ host: at?.host ?? '', port: at?.port ?? 0, name, clock: realClock, timeoutMs: 5000, signal: new AbortController().signal });
}

/** A bare connection; `isClosed` once the listener has ended it. */
async function connectTo(at: ListeningAt | undefined): Promise<{ readonly socket: Socket; readonly isClosed: () => boolean }> {
  const socket = net.connect({ host: at?.host ?? '', port: at?.port ?? 0 });
  let isClosed = false;
  socket.on('error', () => undefined).on('close', () => {
    isClosed = true;
  });
  socket.resume();
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, isClosed: () => isClosed };
}

describe('StreamhostListener', () => {
  it('hands over the one connection that names the stream, with what it sent along', async () => {
    const { listener } = listen();
    const [at] = await listener.expect(NAME);
    expect(listener.take(SECOND)).toBeUndefined();
    const { socket } = await ask(at, NAME);
    socket.write('early');
    const taken = listener.take(NAME);
    expect(taken?.socket.isPaused()).toBe(true);
    const came = new Promise((resolve) => taken?.socket.once('data', (bytes) => resolve(String(bytes))));
    taken?.socket.resume();
    expect(await came).toBe('early');
    expect(listener.isListening).toBe(false);
    for (const one of [socket, taken?.socket]) one?.destroy();
  });

  it('takes a client that sends all at once, its first bytes included', async () => {
    const { listener } = listen();
    const [at] = await listener.expect(NAME);
    const { socket } = await connectTo(at);
    socket.write(Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, 40), Buffer.from(NAME), Buffer.of(0, 0), Buffer.from('early')]));
    await until(() => socket.bytesRead === 2 + 47);
    const taken = listener.take(NAME);
    expect(Buffer.from(taken?.early ?? []).toString()).toBe('early');
    taken?.socket.destroy();
  });

  it('refuses a second connection for a stream, and a name that is not expected', async () => {
    const { listener, lines, refused } = listen();
    const [at] = await listener.expect(NAME);
    await listener.expect(SECOND);
    const first = await ask(at, NAME);
    for (const name of [NAME, 'c'.repeat(40)]) await expect(ask(at, name)).rejects.toMatchObject({ code: 'tcp' });
    const second = await ask(at, SECOND);
    expect(refused()).toBe(2);
    expect(lines.filter((line) => line.includes('refused'))).toHaveLength(1);
    for (const name of [NAME, SECOND]) expect(listener.take(name)).toBeDefined();
    for (const { socket } of [first, second]) socket.destroy();
  });

  it('has eight connections at most that have not named a stream', async () => {
    const { listener, refused } = listen();
    const [at] = await listener.expect(NAME);
    const idle = [];
    for (let count = 0; count < 8; count += 1) idle.push(await connectTo(at));
    const ninth = await connectTo(at);
    await until(ninth.isClosed);
    expect(idle.some(({ isClosed }) => isClosed())).toBe(false);
    expect(refused()).toBe(1);
    idle[0]?.socket.destroy();
    await until(async () => {
      const next = await connectTo(at);
      next.socket.write(Buffer.of(5, 1, 0));
      await new Promise((resolve) => next.socket.once('data', resolve).once('close', resolve));
      return next.socket.bytesRead > 0;
    });
  });

  it('gives each five seconds, and counts a late one once', async () => {
    const clock = new EventClock();
    const { listener, refused } = listen(clock);
    const [at] = await listener.expect(NAME);
    const late = await connectTo(at);
    late.socket.write(Buffer.of(5, 1, 0));
    await until(() => late.socket.bytesRead === 2);
    await clock.advance(4999);
    expect(late.isClosed()).toBe(false);
    await clock.advance(1);
    await until(late.isClosed);
    expect(refused()).toBe(1);
  });

  it('lets nobody in from further than it may, whatever was offered', async () => {
    let mode: DirectMode = 'private';
    const { listener, refused } = listen(realClock, () => mode);
    const [at] = await listener.expect(NAME);
    mode = 'off';
    const stranger = await connectTo(at);
    await until(stranger.isClosed);
    expect(refused()).toBe(1);
  });

  it('listens nowhere when direct connections are off', async () => {
    const { listener } = listen(realClock, () => 'off');
    expect(await listener.expect(NAME)).toEqual([]);
  });

  it('goes past an address that cannot be listened on', async () => {
    const wrong = [{ address: '10.255.255.1', internal: false }, { address: '127.0.0.1', internal: true }];
    const { listener, lines } = listen(realClock, () => 'private', { eth0: wrong });
    expect(await listener.expect(NAME)).toEqual([]);
    expect(lines.join()).toContain('cannot listen');
  });

  it('lets nobody in from an address that is not allowed any more, though it listens still', async () => {
    let mode: DirectMode = 'private';
    const { listener, lines, refused } = listen(realClock, () => mode);
    const [at] = await listener.expect(NAME);
    mode = 'off';
    await expect(ask(at, NAME)).rejects.toMatchObject({ code: 'tcp' });
    expect([refused(), listener.take(NAME)]).toEqual([1, undefined]);
    expect(lines.join()).toContain('its address is not allowed');
  });

  it('ends with the last stream it expects, and those who came with it', async () => {
    const { listener } = listen();
    const [at] = await listener.expect(NAME);
    await listener.expect(SECOND);
    const [idle, asked] = [await connectTo(at), await ask(at, NAME)];
    listener.release(NAME);
    await new Promise((resolve) => asked.socket.resume().once('close', resolve));
    expect([listener.isListening, idle.isClosed()]).toEqual([true, false]);
    listener.release(SECOND);
    await until(idle.isClosed);
    await expect(ask(at, SECOND)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('listens no more when it was released before it was ready', async () => {
    const { listener } = listen();
    const listening = listener.expect(NAME);
    listener.release(NAME);
    const [at] = await listening;
    if (at !== undefined) await expect(ask(at, NAME)).rejects.toMatchObject({ code: 'tcp' });
    expect(listener.isListening).toBe(false);
  });
});
