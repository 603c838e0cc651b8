import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ControlClient, isAgentAbsent } from '../../../src/control/client.ts';
import type { ControlRequest } from '../../../src/control/server.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { defer } from '../../helpers/deferred.ts';
import { openDoor } from '../../helpers/door.ts';
import { makeFolder } from '../../helpers/repo.ts';

/** A server that is no agent: it answers `text` and hangs up. */
async function openFalseDoor(text: string): Promise<ControlClient> {
  const home = makeFolder();
  const socketPath = join(home, 's');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(text));
  });
  server.unref().listen(socketPath);
  await once(server, 'listening');
  return new ControlClient({ socketPath, home });
}

async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of lines) values.push(value);
  return values;
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  return work.then(
    () => {
      throw new Error('did not fail');
    },
    (error: Fault) => error,
  );
}

describe('ControlClient', () => {
  it('refuses a socket path that Node would cut short', () => {
    const home = makeFolder();
    const make = (length: number): ControlClient => new ControlClient({ socketPath: `/${'x'.repeat(length - 1)}`, home });
    expect(() => make(101)).toThrow(expect.objectContaining({ code: 'bad-config' }));
    expect(make(100).agentVersion).toBeUndefined();
  });

  it('says that no agent runs when there is no socket', async () => {
    const home = makeFolder();
    const fault = await faultOf(new ControlClient({ socketPath: join(home, 's'), home }).request('GET', '/status'));
    expect(fault).toMatchObject({ code: 'agent', message: 'no agent runs for this home' });
    expect(isAgentAbsent(fault)).toBe(true);
  });

  it('tells an agent that went away from one that does not run', async () => {
    const client = await openFalseDoor('');
    const fault = await faultOf(client.request('GET', '/status'));
    expect(fault).toMatchObject({ code: 'agent', message: expect.stringContaining('went away before it answered GET /status') });
    expect(isAgentAbsent(fault)).toBe(false);
  });

  it('gives up when the agent is silent for too long, or the caller wishes', async () => {
    const { client } = await openDoor({ 'GET /never': { kind: 'json', answer: () => new Promise(() => undefined) } });
    await expect(client.request('GET', '/never', undefined, { deadlineMs: 20 })).rejects.toMatchObject({
      code: 'timeout',
      message: 'the agent did not answer GET /never within 0.02 s',
    });
    const stop = new AbortController();
    const asked = client.request('GET', '/never', undefined, { signal: stop.signal });
    stop.abort();
    await expect(asked).rejects.toMatchObject({ message: 'GET /never was given up' });
  });

  it('takes no answer without end', async () => {
    const { client } = await openDoor({ 'GET /big': { kind: 'json', answer: async () => 'x'.repeat(17 * 1024 * 1024) } });
    await expect(client.request('GET', '/big')).rejects.toMatchObject({ code: 'too-large' });
  });

  it('sends no body that the agent would refuse', async () => {
    const { client } = await openDoor({});
    await expect(client.request('POST', '/x', 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-large' });
  });

  it('takes an answer that is no JSON, or a refusal without a reason, for a fault', async () => {
    const reply = (status: string, body: string): string => `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const page = await openFalseDoor(reply('200 OK', '<html>'));
    await expect(page.request('GET', '/x')).rejects.toMatchObject({ code: 'bad-input' });
    const silent = await openFalseDoor(reply('500 No', '{}'));
    await expect(silent.request('GET', '/x')).rejects.toThrow(/500 without a reason/);
  });

  it('gives lines as they come, not at the end', async () => {
    const second = defer();
    async function* answer(): AsyncGenerator {
      yield { n: 1 };
      await second.promise;
      yield { n: 2 };
    }
    const { client } = await openDoor({ 'GET /lines': { kind: 'lines', answer } });
    const lines = client.lines('GET', '/lines');
    expect((await lines.next()).value).toEqual({ n: 1 });
    second.resolve();
    expect((await lines.next()).value).toEqual({ n: 2 });
    expect(await lines.next()).toEqual({ done: true, value: undefined });
  });

  it('throws a fault that comes after some lines', async () => {
    async function* answer(): AsyncGenerator {
      yield 1;
      throw new Fault('timeout', 'desktop did not answer');
    }
    const { client } = await openDoor({ 'GET /lines': { kind: 'lines', answer } });
    const lines = client.lines('GET', '/lines');
    expect((await lines.next()).value).toBe(1);
    await expect(lines.next()).rejects.toMatchObject({ code: 'timeout', message: 'desktop did not answer' });
  });

  it('throws the refusal of a question for lines', async () => {
    const { client } = await openDoor({});
    await expect(collect(client.lines('GET', '/nothing'))).rejects.toMatchObject({ code: 'wrong-use' });
  });

  it('holds a fast agent back while it reads slowly, and ends it when it stops reading', async () => {
    let made = 0;
    const ended = defer();
    async function* answer({ signal }: ControlRequest): AsyncGenerator {
      try {
        for (; !signal.aborted; made += 1) yield 'x'.repeat(100_000);
      } finally {
        ended.resolve();
      }
    }
    const { client } = await openDoor({ 'GET /lines': { kind: 'lines', answer } });
    const lines = client.lines('GET', '/lines');
    for (let count = 0; count < 5; count += 1) await lines.next();
    await lines.return();
    await ended.promise;
    expect(made).toBeLessThan(200);
  });

  it('notices that lines were cut off', async () => {
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const start = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const killed = await openFalseDoor(start + chunk('1\n'));
    await expect(collect(killed.lines('GET', '/x'))).rejects.toMatchObject({ code: 'agent' });
    const ended = await openFalseDoor(`${start}${chunk('1\n2')}0\r\n\r\n`);
    await expect(collect(ended.lines('GET', '/x'))).rejects.toThrow(/middle of a line/);
  });
});
