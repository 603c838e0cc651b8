// The asking half: what a peer answers becomes a value, or a fault in words; and nothing that it answers may end the agent.

import { once } from 'node:events';
import { createServer, connect } from 'node:http2';
import type { ClientHttp2Session, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { formatStderr, MAX_JSON_BYTES } from '../../../src/link/http-format.ts';
import { openService, parseJson, parseRefusal, requestJson } from '../../../src/link/services.ts';
import { duplexPair } from '../../helpers/duplex-pair.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { startScript } from '../../helpers/served-process.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const PATH = '/repos/0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11/git-upload-pack';
const LOST = { code: 'timeout', message: 'the link to the other device was lost' };

let session: ClientHttp2Session | undefined;

afterEach(() => session?.destroy());

/** A session with a peer that answers each request so, honest or not. */
function answering(answer: (stream: ServerHttp2Stream, own: ServerHttp2Session) => void): ClientHttp2Session {
  const [near, far] = duplexPair();
  const server = createServer();
  server.on('session', (own) => {
    own.on('error', () => undefined);
    own.on('stream', (stream) => {
      stream.on('error', () => undefined);
      answer(stream, own);
    });
  });
  server.emit('connection', far);
  session = connect('http://peer', { createConnection: () => near });
  session.on('error', () => undefined);
  return session;
}

const ask = (to: ClientHttp2Session, deadlineMs = 4000): Promise<unknown> => requestJson(to, { method: 'POST', path: '/x', body: {} }, { clock: realClock, deadlineMs });

describe('requestJson', () => {
  it('gives what was answered, or undefined for no content', async () => {
    const answers = ['{"a":[1]}', undefined];
    const to = answering((stream) => {
      const text = answers.shift();
      if (text === undefined) stream.respond({ ':status': 204 }, { endStream: true });
      else {
        stream.respond();
        stream.end(text);
      }
    });
    expect(await ask(to)).toEqual({ a: [1] });
    expect(await ask(to)).toBeUndefined();
  });

  it('sends method, path and body', async () => {
    const heard: unknown[] = [];
    const to = answering((stream) => {
      let body = '';
      stream.on('data', (part) => (body += String(part)));
      stream.on('end', () => {
        heard.push(body);
        stream.respond();
        stream.end('null');
      });
    });
    to.on('stream', () => undefined);
    expect(await requestJson(to, { method: 'POST', path: '/x', body: { a: 'ü' } }, { clock: realClock, deadlineMs: 4000 })).toBeNull();
    expect(await requestJson(to, { method: 'GET', path: '/x' }, { clock: realClock, deadlineMs: 4000 })).toBeNull();
    expect(heard).toEqual(['{"a":"ü"}', '']);
  });

  it.each<[string, number, string, object]>([
    ['a refusal', 403, '{"code":"not-granted","message":"you may not"}', { code: 'not-granted', message: 'you may not' }],
    ['a refusal without a reason', 404, '', { code: 'agent', message: 'the other device failed: it gave no reason' }],
    ['a refusal in broken JSON', 403, '<html>', { code: 'agent' }],
    ['a refusal that is null', 403, 'null', { code: 'agent' }],
    ['an answer in broken JSON', 200, '{"a":', { code: 'bad-input' }],
    ['an empty answer', 200, '', { code: 'bad-input' }],
    ['an answer that is too long', 200, `"${'x'.repeat(MAX_JSON_BYTES)}"`, { code: 'bad-input', message: /is larger than/ }],
    ['a status of its own', 302, '', { code: 'agent' }],
  ])('fails in words on %s', async (_name, status, text, expected) => {
    const to = answering((stream) => {
      stream.respond({ ':status': status });
      stream.end(text);
    });
    await expect(ask(to)).rejects.toMatchObject(expected);
  });

  it('fails in words when the stream ends before its answer, in its midst, or with the link', async () => {
    const ways: ((stream: ServerHttp2Stream, own: ServerHttp2Session) => void)[] = [
      (stream) => stream.close(2),
      (stream) => stream.close(0),
      (stream) => {
        stream.respond();
        stream.write('{"a":1}');
        setImmediate(() => stream.destroy(new Error('x')));
      },
      (stream) => {
        stream.respond();
        stream.write('12');
        setImmediate(() => stream.destroy(new Error('x')));
      },
      (stream, own) => {
        stream.respond();
        stream.write('1');
        setImmediate(() => own.destroy());
      },
    ];
    for (const way of ways) await expect(ask(answering(way))).rejects.toMatchObject(LOST);
  });

  it('gives up at its deadline, and its stream with it', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock, handlers: { repos: () => new Promise(() => undefined) } });
    const { session: to } = await world.dial();
    const asked = requestJson(to, { method: 'GET', path: '/repos' }, { clock, deadlineMs: 1000 });
    const failing = expect(asked).rejects.toMatchObject({ code: 'timeout', message: 'the other device did not answer in time' });
    await clock.pass(1000);
    await failing;
    expect(to.destroyed).toBe(false);
  });

  it('fails in words on a session that has ended', async () => {
    const to = answering(() => undefined);
    to.destroy();
    await expect(ask(to)).rejects.toMatchObject(LOST);
  });
});

describe('openService', () => {
  it('is accepted before anything is sent, and carries its headers', async () => {
    const seen: unknown[] = [];
    const handlers = {
      service: (_who: unknown, repo: unknown, service: unknown, protocol: unknown) => {
        seen.push([repo, service, protocol]);
        return Promise.resolve(startScript('cat; exit 5'));
      },
    };
    const world = new LinkWorld({ handlers });
    const { stream, accepted, end } = openService(await world.session(), PATH, { 'git-protocol': 'version=2' });
    await accepted;
    expect(seen).toEqual([['0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11', 'git-upload-pack', 'version=2']]);
    stream.end('hello');
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
    expect(await end).toEqual({ exitCode: 5, stderr: '' });
  });

  it('calls a stream without an exit code a lost link', async () => {
    for (const end of [(stream: ServerHttp2Stream) => stream.end('all of it'), (stream: ServerHttp2Stream) => stream.close(2)]) {
      const to = answering((stream) => {
        stream.respond();
        end(stream);
      });
      const service = openService(to, PATH, {});
      service.stream.on('error', () => undefined);
      service.stream.resume();
      service.stream.end();
      await expect(service.end).rejects.toMatchObject(LOST);
    }
  });

  it.each(['', 'x', '-1', '1e3', '999'])('takes no exit code %j for one', async (code) => {
    const to = answering((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'git-exit': code, 'git-stderr': formatStderr('words') }));
      stream.end();
    });
    const service = openService(to, PATH, {});
    service.stream.resume();
    service.stream.end();
    await expect(service.end).rejects.toMatchObject(LOST);
  });

  it.each<[string, string, object]>([
    ['in words', '{"code":"no-such-repo","message":"no such repository"}', { code: 'no-such-repo', message: 'no such repository' }],
    ['in broken JSON', '{"code', { code: 'agent' }],
    ['without a word', '', { code: 'agent' }],
  ])('hands on a refusal %s', async (_name, text, expected) => {
    const to = answering((stream) => {
      stream.respond({ ':status': 404 });
      stream.end(text);
    });
    const { accepted, end } = openService(to, PATH, {});
    await expect(accepted).rejects.toMatchObject(expected);
    await expect(end).rejects.toBeInstanceOf(Fault);
  });

  it('leaves nothing of a refused request behind: more of them than may be open at a time', async () => {
    const world = new LinkWorld({ handlers: { service: () => Promise.reject(new Fault('not-granted', 'you may not')), repos: () => Promise.resolve('here') } });
    const { session: to } = await world.dial();
    for (let count = 0; count < 120; count += 1) {
      await expect(openService(to, PATH, {}).accepted).rejects.toMatchObject({ code: 'not-granted' });
    }
    await expect(requestJson(to, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 1000 })).resolves.toBe('here');
  });

  it('is refused in words when the link ends before it is answered', async () => {
    const to = answering((_stream, own) => own.destroy());
    const { stream, accepted, end } = openService(to, PATH, {});
    stream.on('error', () => undefined);
    await expect(accepted).rejects.toMatchObject(LOST);
    await expect(end).rejects.toMatchObject(LOST);
  });

  it('throws a fault on a session that has ended', () => {
    const to = answering(() => undefined);
    to.destroy();
    expect(() => openService(to, PATH, {})).toThrow(expect.objectContaining(LOST));
  });
});

describe('parseJson', () => {
  it('reads JSON, and never quotes what is none', () => {
    expect(parseJson('[1]')).toEqual([1]);
    expect(() => parseJson('{"secret": pass')).toThrow(/^JSON: from the other device is broken$/);
  });
});

describe('parseRefusal', () => {
  it('takes the codes that a peer may give, in its own words', () => {
    for (const code of ['no-such-repo', 'not-granted', 'exists', 'newer-protocol', 'bad-input', 'refused-repository', 'disk-full']) {
      expect(parseRefusal(JSON.stringify({ code, message: 'why' }))).toMatchObject({ code, message: 'why', remedy: undefined });
    }
  });

  it.each(['internal', 'wrong-password', 'not-paired', 'x', '', '__proto__'])('takes no %j from a peer: it is its own trouble', (code) => {
    expect(parseRefusal(JSON.stringify({ code, message: 'why' }))).toMatchObject({ code: 'agent', message: 'the other device failed: why' });
  });

  it('takes no more than a line of words', () => {
    const { message } = parseRefusal(JSON.stringify({ code: 'bad-input', message: `a\n\x1b[2J\u202e${'x'.repeat(1000)}` }));
    expect(message).toHaveLength(300);
    expect(message).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it.each(['7', 'null', '[]', '"x"', '{"message":7}', '<html>', '{"code":{"toString":1}}'])('finds words for %s', (text) => {
    expect(parseRefusal(text)).toMatchObject({ code: 'agent', message: 'the other device failed: it gave no reason' });
  });
});
