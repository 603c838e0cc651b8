import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ControlClient } from '../../../src/control/client.ts';
import { startControl, type ControlRequest, type Routes } from '../../../src/control/server.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { createLog, silentLog } from '../../../src/lib/log.ts';
import { defer } from '../../helpers/deferred.ts';
import { openDoor, sayRaw, type TestDoor } from '../../helpers/door.ts';
import { makeFolder } from '../../helpers/repo.ts';

const status: Routes = { 'GET /status': { kind: 'json', answer: async () => ({ isUp: true }) } };

function json(answer: (request: ControlRequest) => Promise<unknown>): Routes {
  return { 'POST /do': { kind: 'json', answer } };
}

function head(door: TestDoor, extra = ''): string {
  return `Host: agent\r\nX-Git-Xmpp-Home: ${encodeURIComponent(door.home)}\r\n${extra}`;
}

describe('startControl', () => {
  it('hands a handler the path, the query, the body and the fields of the caller', async () => {
    const seen: ControlRequest[] = [];
    const { client } = await openDoor(json(async (request) => void seen.push(request)));
    expect(await client.request('POST', '/do?x=1&x=2', { a: ['ü'] })).toBeUndefined();
    expect(seen[0]).toMatchObject({ path: '/do', body: { a: ['ü'] }, headers: {} });
    expect(seen[0]?.query.getAll('x')).toEqual(['1', '2']);
  });

  it('answers 421 to a caller of another home, or of none, and runs no handler', async () => {
    let runs = 0;
    const door = await openDoor(json(async () => (runs += 1)));
    const other = new ControlClient({ socketPath: door.socketPath, home: '/elsewhere' });
    await expect(other.request('POST', '/do')).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining(door.home),
    });
    expect(await sayRaw(door.socketPath, 'POST /do HTTP/1.1\r\nHost: agent\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 421 Misdirected Request/,
    );
    expect(runs).toBe(0);
  });

  it('answers a fault under its status, with its words and remedy', async () => {
    const door = await openDoor(
      json(async () => {
        throw new Fault('peer-offline', 'desktop is offline', { remedy: 'wait for it' });
      }),
    );
    const answer = await sayRaw(door.socketPath, `POST /do HTTP/1.1\r\n${head(door)}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('{"fault":{"code":"peer-offline","message":"desktop is offline","remedy":"wait for it"}}');
  });

  it('turns a bug in a handler into an internal fault, logs it, and goes on', async () => {
    const lines: string[] = [];
    const home = makeFolder();
    const socketPath = `${home}/s`;
    const log = createLog((line) => lines.push(line), 'warn', () => 0);
    const routes: Routes = { ...status, ...json(() => Promise.reject(new TypeError('x is undefined'))) };
    const control = await startControl({ socketPath, home, routes, log });
    const client = new ControlClient({ socketPath, home });
    await expect(client.request('POST', '/do')).rejects.toMatchObject({ code: 'internal' });
    expect(await client.request('GET', '/status')).toEqual({ isUp: true });
    expect(lines).toEqual([expect.stringContaining('x is undefined')]);
    await control.stop();
  });

  it('knows only its routes, and no names of every object', async () => {
    const { client } = await openDoor(status);
    await expect(client.request('GET', '/nothing')).rejects.toMatchObject({ code: 'wrong-use' });
    await expect(client.request('POST', '/status')).rejects.toMatchObject({ code: 'wrong-use' });
    await expect(client.request('GET', '/toString')).rejects.toMatchObject({ code: 'wrong-use' });
  });

  it('refuses a body of more than 64 KiB, however it comes, and tells the caller so', async () => {
    const door = await openDoor(json(async () => 'never'));
    for (const headers of [{ 'content-length': 1_000_000 }, { 'transfer-encoding': 'chunked' }]) {
      const sent = request({
        socketPath: door.socketPath,
        method: 'POST',
        path: '/do',
        headers: { 'x-git-xmpp-home': encodeURIComponent(door.home), ...headers },
      });
      sent.on('error', () => undefined);
      sent.end(Buffer.alloc(1_000_000, 0x20));
      const [response] = await once(sent, 'response');
      expect(response.statusCode).toBe(413);
      response.resume();
    }
  });

  it('refuses a body that is no JSON in UTF-8', async () => {
    const door = await openDoor(json(async () => 'never'));
    for (const body of ['{"a":', '"\xff"']) {
      const text = `POST /do HTTP/1.1\r\n${head(door, `Content-Length: ${body.length}\r\n`)}\r\n${body}`;
      expect(await sayRaw(door.socketPath, Buffer.from(text, 'latin1'))).toMatch(/^HTTP\/1\.1 400 [^]*JSON: is broken/);
    }
  });

  it('answers what is no HTTP, and goes on', async () => {
    const door = await openDoor(status);
    expect(await sayRaw(door.socketPath, '\x16\x03\x01 garbage\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    const big = `GET /status HTTP/1.1\r\nX-Big: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await sayRaw(door.socketPath, big)).toMatch(/^HTTP\/1\.1 431/);
    expect(await door.client.request('GET', '/status')).toEqual({ isUp: true });
  });

  it('turns away more callers at a time than it can look after, and looks after the others', async () => {
    const door = await openDoor(status);
    const callers = Array.from({ length: 256 }, () => connect(door.socketPath));
    await Promise.all(callers.map((caller) => once(caller, 'connect')));
    const late = connect(door.socketPath);
    late.on('error', () => undefined).resume();
    await once(late, 'close');
    callers[0]?.destroy();
    const answers = await Promise.all(callers.slice(1, 4).map(async (caller) => {
      caller.write(`GET /status HTTP/1.1\r\n${head(door, 'Connection: close\r\n')}\r\n`);
      const [answer] = (await once(caller, 'data')) as [Buffer];
      return answer.toString();
    }));
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    for (const caller of callers) caller.destroy();
  });

  it('hangs up on a caller that does not finish its question', async () => {
    const door = await openDoor(json(async () => 'never'), { patienceMs: 200 });
    const unfinished = ['', 'POST /do HT', `POST /do HTTP/1.1\r\n${head(door, 'Content-Length: 9\r\n')}\r\n{`];
    const answers = await Promise.all(unfinished.map((text) => sayRaw(door.socketPath, text)));
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(unfinished.map(() => 'HTTP/1.1 408'));
  });

  it('tells a handler when its caller goes away', async () => {
    const life = defer();
    const begun = defer();
    const door = await openDoor(
      json(async ({ signal }) => {
        begun.resolve();
        await once(signal, 'abort');
        life.resolve();
      }),
    );
    const socket = connect(door.socketPath);
    socket.write(`POST /do HTTP/1.1\r\n${head(door)}\r\n`);
    await begun.promise;
    socket.destroy();
    await life.promise;
  });

  it('does not abort what was answered in full', async () => {
    let signal: AbortSignal | undefined;
    const door = await openDoor(
      json(async (request) => {
        signal = request.signal;
        return 1;
      }),
    );
    await sayRaw(door.socketPath, `POST /do HTTP/1.1\r\n${head(door)}\r\n`);
    expect(signal?.aborted).toBe(false);
  });

  it('lets one agent only on a socket', async () => {
    const door = await openDoor(status);
    const again = startControl({ socketPath: door.socketPath, home: door.home, routes: status, log: silentLog });
    await expect(again).rejects.toMatchObject({ code: 'already-running' });
    expect(await door.client.request('GET', '/status')).toEqual({ isUp: true });
  });
});

describe('Control', () => {
  it('stops at once when nothing is under way, removes its socket, and may be stopped twice', async () => {
    const door = await openDoor(status);
    await Promise.all([door.control.stop(), door.control.stop()]);
    expect(existsSync(door.socketPath)).toBe(false);
    await expect(door.client.request('GET', '/status')).rejects.toMatchObject({ code: 'agent' });
  });

  it('lets the caller that asked it to stop have its answer', async () => {
    const door = await openDoor(
      json(async () => {
        void door.control.stop();
        return 'stopping';
      }),
    );
    expect(await door.client.request('POST', '/do')).toBe('stopping');
  });

  it('gives many answers as server-sent events to whoever asks for them, with the last one that the caller has', async () => {
    const asked: (string | undefined)[] = [];
    async function* ticks({ lastEventId, isEventStream }: ControlRequest): AsyncGenerator {
      asked.push(lastEventId);
      yield { id: 7, is: isEventStream };
      yield 'plain';
      throw new Fault('git', 'broke');
    }
    const door = await openDoor({ 'GET /ticks': { kind: 'lines', answer: ticks } });
    const ask = (...more: string[]): Promise<string> =>
      sayRaw(door.socketPath, ['GET /ticks HTTP/1.1', 'Host: agent', `X-Git-Xmpp-Home: ${encodeURIComponent(door.home)}`, ...more, '', ''].join('\r\n'));
    const answer = await ask('Accept: text/html, Text/Event-Stream;q=0.5', 'Last-Event-ID: 6');
    expect(answer).toContain('Content-Type: text/event-stream'.toLowerCase());
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4).replaceAll(/^[0-9a-f]+\r\n|\r\n/gm, '');
    expect(body).toContain('retry: 1000\n\nid: 7\ndata: {"id":7,"is":true}\n\ndata: "plain"\n\nevent: fault\ndata: {"fault":{"code":"git","message":"broke"}}\n\n');
    expect(await ask('Accept: text/event-stream;q=0, */*')).toContain('{"id":7,"is":false}\n');
    expect(asked).toEqual(['6', undefined]);
  });

  it('hangs up on a stream whose ends both stay, when it closes', async () => {
    const door = await openDoor({ 'POST /streams': { kind: 'stream', open: async (_request, socket) => void socket.resume() } });
    const stream = await door.client.stream('/streams', {});
    const ended = once(stream.resume(), 'end');
    await door.control.stop();
    await ended;
    stream.destroy();
    expect(existsSync(door.socketPath)).toBe(false);
  });

  it('ends lines and hangs up on callers that stay', async () => {
    async function* ticks({ signal }: ControlRequest): AsyncGenerator<number> {
      yield 1;
      await once(signal, 'abort');
    }
    const door = await openDoor({ ...json(() => new Promise(() => undefined)), 'GET /ticks': { kind: 'lines', answer: ticks } });
    const stuck = expect(door.client.request('POST', '/do')).rejects.toMatchObject({ code: 'agent' });
    const lines = door.client.lines('GET', '/ticks');
    expect((await lines.next()).value).toBe(1);
    const ended = expect(lines.next()).rejects.toMatchObject({ code: 'agent', message: 'the agent is stopping' });
    await door.control.stop();
    await Promise.all([stuck, ended]);
  });
});
