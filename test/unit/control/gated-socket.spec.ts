import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { GatedSocket } from '../../../src/control/gated-socket.ts';
import type { ControlRequest, Routes } from '../../../src/control/server.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { defer } from '../../helpers/deferred.ts';
import { openDoor, readAll, sayRaw } from '../../helpers/door.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';

function streams(open: (request: ControlRequest, socket: Duplex) => Promise<void>): Routes {
  return { 'POST /streams': { kind: 'stream', open } };
}

function askRaw(line: string, fields: { readonly home: string; readonly upgrade: string }): string {
  const heads = ['Host: agent', `X-Git-Xmpp-Home: ${fields.home}`, 'Connection: Upgrade', `Upgrade: ${fields.upgrade}`];
  return [`${line} HTTP/1.1`, ...heads, '', ''].join('\r\n');
}

describe('GatedSocket', () => {
  it('hands the handler the fields of the stream, whatever letters they hold', async () => {
    let headers: unknown;
    const { client } = await openDoor(
      streams(async (request, socket) => {
        headers = request.headers;
        socket.end();
      }),
    );
    await readAll(await client.stream('/streams', { peer: 'änna', repo: 'a b', service: 'git-upload-pack' }));
    expect(headers).toEqual({ peer: 'änna', repo: 'a b', service: 'git-upload-pack' });
  });

  it('sends what was written before the stream was open after the 101, in order', async () => {
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        socket.write('one ');
        socket.write('two ');
        await new Promise(setImmediate);
        socket.end('three');
      }),
    );
    expect(await readAll(await client.stream('/streams', {}))).toBe('one two three');
  });

  it('passes on what was written together, before and after the stream was open, in order and as one', async () => {
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        const sayTogether = (...words: string[]): void => {
          socket.cork();
          for (const word of words) socket.write(word);
          socket.uncork();
        };
        sayTogether('one ', 'two ');
        setImmediate(() => {
          sayTogether('three ', 'four');
          socket.end();
        });
      }),
    );
    expect(await readAll(await client.stream('/streams', {}))).toBe('one two three four');
  });

  it('tells the caller why no stream was opened, and nothing that was written before', async () => {
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        socket.write('not for you');
        socket.destroy();
        throw new Fault('no-such-repo', 'laptop shares no "x"', { remedy: 'git xmpp repos laptop' });
      }),
    );
    const refused = client.stream('/streams', {});
    await expect(refused).rejects.toMatchObject({
      code: 'no-such-repo',
      message: 'laptop shares no "x"',
      remedy: 'git xmpp repos laptop',
    });
  });

  it('passes the end of one direction on and keeps the other open', async () => {
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        let heard = '';
        socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
        socket.on('end', () => socket.end(`heard ${heard}`));
      }),
    );
    const socket = await client.stream('/streams', {});
    socket.end('all of it');
    expect(await readAll(socket)).toBe('heard all of it');
  });

  it('lets the agent end first and still hears the caller', async () => {
    const heard = defer<string>();
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        socket.end('bye');
        const parts: Buffer[] = [];
        socket.on('data', (bytes: Buffer) => parts.push(bytes));
        socket.on('end', () => heard.resolve(Buffer.concat(parts).toString()));
      }),
    );
    const socket = await client.stream('/streams', {});
    const [farewell] = await once(socket, 'data');
    expect(String(farewell)).toBe('bye');
    await once(socket, 'end');
    socket.end('one more thing');
    expect(await heard.promise).toBe('one more thing');
  });

  it('carries megabytes both ways at the slower side’s pace', async () => {
    const { client } = await openDoor(
      streams(async (_request, socket) => {
        void pipeline(socket, socket);
      }),
    );
    const socket = await client.stream('/streams', {});
    const total = 20 * 1024 * 1024;
    let isHeldBack = false;
    const sent = (async () => {
      for (let at = 0; at < total; at += 65_536) {
        if (socket.write(Buffer.alloc(65_536, at / 65_536))) continue;
        isHeldBack = true;
        await once(socket, 'drain');
      }
      socket.end();
    })();
    const back = await readAll(socket);
    await sent;
    expect(back).toHaveLength(total);
    expect(back.charCodeAt(total - 1)).toBe((total / 65_536 - 1) % 256);
    expect(isHeldBack).toBe(true);
  });

  it('is destroyed, and its signal aborted, when the caller goes away', async () => {
    const gone = defer();
    const { client } = await openDoor(
      streams(async ({ signal }, socket) => {
        socket.resume();
        // A half-closed caller looks the same until something is sent to it.
        const send = (): void => {
          if (socket.destroyed) return;
          socket.write('x');
          setImmediate(send);
        };
        send();
        const closed = new Promise((resolve) => socket.on('close', resolve));
        void Promise.all([once(signal, 'abort'), closed]).then(() => gone.resolve());
      }),
    );
    (await client.stream('/streams', {})).destroy();
    await gone.promise;
  });

  it('ends with its caller, though nothing is sent to it that would tell', async () => {
    const [caller, socket] = duplexPair();
    const gated = new GatedSocket(socket, new Uint8Array(0));
    gated.open('');
    gated.resume();
    const closed = once(gated, 'close');
    caller.destroy();
    await closed;
    expect(gated.readableEnded).toBe(false);
  });

  it('makes its caller wait while nobody reads, and loses nothing of it', async () => {
    const [caller, socket] = duplexPair();
    const gated = new GatedSocket(socket, new Uint8Array(0));
    gated.open('');
    // Somebody begins to read, and stops.
    gated.read(0);
    const total = 64 * 65_536;
    for (let at = 0; at < total; at += 65_536) caller.write(Buffer.alloc(65_536));
    caller.end();
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
    expect(gated.readableLength).toBeGreaterThan(0);
    expect(gated.readableLength).toBeLessThan(4 * 65_536);
    expect(caller.writableLength).toBeGreaterThan(total / 2);
    let length = 0;
    for await (const part of gated) length += (part as Buffer).length;
    expect(length).toBe(total);
  });

  it('refuses an upgrade to anything else, and on a route that is no stream', async () => {
    const door = await openDoor({ ...streams(async () => undefined), 'GET /status': { kind: 'json', answer: async () => 1 } });
    const ask = (line: string, upgrade: string): string => askRaw(line, { home: encodeURIComponent(door.home), upgrade });
    expect(await sayRaw(door.socketPath, ask('POST /streams', 'websocket'))).toMatch(/^HTTP\/1\.1 400/);
    expect(await sayRaw(door.socketPath, ask('GET /status', 'git-xmpp-stream'))).toMatch(/^HTTP\/1\.1 400/);
    await expect(door.client.request('POST', '/streams')).rejects.toThrow(/is a git stream/);
  });

  it('answers 421 to a stream for another home', async () => {
    const door = await openDoor(streams(async () => undefined));
    const text = askRaw('POST /streams', { home: 'x', upgrade: 'git-xmpp-stream' });
    expect(await sayRaw(door.socketPath, text)).toMatch(/^HTTP\/1\.1 421/);
  });
});
