// The serving half over a whole link. What a peer may ask, and what happens to one that asks wrongly.

import { once } from 'node:events';
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { Fault, InputFault } from '../../../src/lib/errors.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { MAX_JSON_BYTES, formatOfferHeaders, parseOfferHeaders } from '../../../src/link/http-format.ts';
import type { LinkHandlers } from '../../../src/link/serve.ts';
import { requestJson } from '../../../src/link/services.ts';
import { defer } from '../../helpers/deferred.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { startScript } from '../../helpers/served-process.ts';
import { until } from '../../helpers/waiting.ts';

const REPO = '0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11';

interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number };
  readonly text: string;
}

async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body = ''): Promise<Answer> {
  const isAsking = headers[':method'] !== undefined;
  const stream = session.request(headers, { endStream: !isAsking });
  if (isAsking) stream.end(body);
  let text = '';
  stream.on('data', (part) => (text += String(part)));
  const ended = once(stream, 'end');
  const [received] = await once(stream, 'response');
  await ended;
  return { headers: received, text };
}

async function open(handlers: Partial<LinkHandlers<DeviceId>>): Promise<{ world: LinkWorld; session: ClientHttp2Session }> {
  const world = new LinkWorld({ handlers });
  return { world, session: await world.session() };
}

/** The session's end, with or without an error. */
function closing(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once('close', resolve);
  });
}

/** Comes back behind all that was sent before it. */
function ping(session: ClientHttp2Session): Promise<string> {
  return new Promise((resolve) => {
    if (session.destroyed) resolve('destroyed');
    else session.ping((error) => resolve(error === null ? 'pong' : 'lost'));
  });
}

describe('serveLink', () => {
  it('hands each request to its handler, with who asks', async () => {
    const asked: unknown[] = [];
    const note = (...what: unknown[]): Promise<unknown> => Promise.resolve({ number: asked.push(what) });
    const { world, session } = await open({
      digest: (who, body) => note('digest', who, body),
      repos: (who) => note('repos', who),
      map: (who, repo, body) => note('map', who, repo, body),
    });
    const { device } = world.near;
    expect(await ask(session, { ':method': 'POST', ':path': '/digest' }, '{"a":1}')).toMatchObject({ headers: { ':status': 200 }, text: '{"number":1}' });
    expect((await ask(session, { ':path': '/repos' })).text).toBe('{"number":2}');
    expect((await ask(session, { ':method': 'POST', ':path': `/repos/${REPO}/map` }, '[]')).text).toBe('{"number":3}');
    expect(asked).toEqual([
      ['digest', device, { a: 1 }],
      ['repos', device],
      ['map', device, REPO, []],
    ]);
  });

  it('answers nothing with no content', async () => {
    const { session } = await open({ map: () => Promise.resolve(undefined) });
    expect(await ask(session, { ':method': 'POST', ':path': `/repos/${REPO}/map` }, '{}')).toMatchObject({ headers: { ':status': 204 }, text: '' });
  });

  it('hands offers and services on with what their headers say', async () => {
    const asked: unknown[] = [];
    const { session } = await open({
      offer: (_who, repo, offer) => {
        asked.push([repo, offer]);
        return Promise.resolve(startScript('cat'));
      },
      service: (_who, repo, service, gitProtocol) => {
        asked.push([repo, service, gitProtocol]);
        return Promise.resolve(startScript('cat'));
      },
    });
    const headers = formatOfferHeaders(parseOfferHeaders((name) => ({ 'map-device': 'a'.repeat(32), 'map-counter': '7', 'map-signature': `${'A'.repeat(86)}==` })[name]));
    expect((await ask(session, { ':method': 'POST', ':path': `/repos/${REPO}/offer`, ...headers }, 'pack')).text).toBe('pack');
    const path = `/repos/${REPO}/git-upload-pack`;
    expect((await ask(session, { ':method': 'POST', ':path': path, 'git-protocol': 'version=2' }, 'want')).text).toBe('want');
    expect(asked).toEqual([
      [REPO, { device: 'a'.repeat(32), counter: 7, signature: `${'A'.repeat(86)}==`, bases: [] }],
      [REPO, 'git-upload-pack', 'version=2'],
    ]);
  });

  it.each<[string, OutgoingHttpHeaders, string]>([
    ['an unknown route', { ':method': 'POST', ':path': '/secrets' }, '{}'],
    ['another method', { ':method': 'DELETE', ':path': '/repos' }, ''],
    ['a repository that is no id', { ':method': 'POST', ':path': '/repos/..%2f/map' }, '{}'],
    ['a protocol that is none', { ':method': 'POST', ':path': `/repos/${REPO}/git-upload-pack`, 'git-protocol': 'version=2:evil' }, ''],
    ['an offer of nobody', { ':method': 'POST', ':path': `/repos/${REPO}/offer` }, ''],
    ['broken JSON', { ':method': 'POST', ':path': '/digest' }, '{"a":'],
    ['no JSON', { ':method': 'POST', ':path': '/digest' }, ''],
  ])('refuses %s in words, and goes on', async (_name, headers, body) => {
    const { session } = await open({ repos: () => Promise.resolve([]) });
    const { headers: received, text } = await ask(session, headers, body);
    expect(received[':status']).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ code: 'bad-input' });
    expect((await ask(session, { ':path': '/repos' })).text).toBe('[]');
  });

  it('refuses JSON that is too large, in words', async () => {
    const { session } = await open({ digest: () => Promise.resolve('never') });
    const asked = requestJson(session, { method: 'POST', path: '/digest', body: 'x'.repeat(MAX_JSON_BYTES) }, { clock: realClock, deadlineMs: 4000 });
    await expect(asked).rejects.toMatchObject({ code: 'bad-input', message: `request: is larger than ${MAX_JSON_BYTES} bytes` });
  });

  it('takes JSON as large as may be', async () => {
    const { session } = await open({ digest: (_who, body) => Promise.resolve(String(body).length) });
    const body = 'x'.repeat(MAX_JSON_BYTES - 2);
    await expect(requestJson(session, { method: 'POST', path: '/digest', body }, { clock: realClock, deadlineMs: 4000 })).resolves.toBe(body.length);
  });

  it('says 404 of a repository that is not there, and of one that may not be seen', async () => {
    const { session } = await open({ map: () => Promise.reject(new Fault('no-such-repo', 'no such repository')) });
    const { headers, text } = await ask(session, { ':method': 'POST', ':path': `/repos/${REPO}/map` }, '{}');
    expect(headers[':status']).toBe(404);
    expect(JSON.parse(text)).toEqual({ code: 'no-such-repo', message: 'no such repository' });
  });

  it('keeps what went wrong inside to itself', async () => {
    const { session } = await open({
      repos: () => Promise.reject(new Error('ENOENT /home/anna/secret')),
      digest: () => Promise.reject(new Fault('git', 'fatal: /home/anna/secret')),
      map: () => Promise.reject(new Fault('not-granted', 'you may not', { remedy: 'look into /home/anna', cause: new Error('secret') })),
    });
    for (const headers of [{ ':path': '/repos' }, { ':method': 'POST', ':path': '/digest' }, { ':method': 'POST', ':path': `/repos/${REPO}/map` }]) {
      const { text } = await ask(session, headers, headers[':method'] === undefined ? '' : '{}');
      expect(text).not.toMatch(/anna|secret/);
      expect(JSON.parse(text)).toHaveProperty('code');
    }
  });

  it('bears handlers that throw, at once or late, and answers that are no JSON', async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const { session } = await open({
      repos: () => {
        throw new InputFault('x', 'at once');
      },
      digest: () => Promise.resolve(loop),
    });
    expect(JSON.parse((await ask(session, { ':path': '/repos' })).text)).toMatchObject({ code: 'bad-input', message: 'x: at once' });
    expect(JSON.parse((await ask(session, { ':method': 'POST', ':path': '/digest' }, '{}')).text)).toMatchObject({ code: 'agent' });
  });

  it.each([0, 2, 8])('bears a request that was reset with code %d while its handler thinks', async (code) => {
    const gate = defer();
    let [begun, ended] = [0, 0];
    const think = async (): Promise<unknown> => {
      begun += 1;
      await gate.promise;
      ended += 1;
      if (ended % 2 === 0) throw new Fault('not-granted', 'no');
      return 'an answer';
    };
    const { session } = await open({ digest: think, repos: think });
    const streams = ['/repos', '/repos', '/digest'].map((path) => {
      const isAsking = path === '/digest';
      const stream = session.request({ ':method': isAsking ? 'POST' : 'GET', ':path': path }, { endStream: !isAsking });
      stream.on('error', () => undefined);
      if (isAsking) stream.end('{}');
      return stream;
    });
    await until(() => begun === 3);
    for (const stream of streams) stream.close(code);
    await ping(session);
    gate.resolve();
    await until(() => ended === 3);
    expect((await ask(session, { ':path': '/repos' })).headers[':status']).toBeGreaterThan(0);
  });

  it('never hands half of a body to a handler', async () => {
    const bodies: unknown[] = [];
    const { world, session } = await open({ digest: (_who, body) => Promise.resolve(bodies.push(body)) });
    const stream = session.request({ ':method': 'POST', ':path': '/digest' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.write('12', resolve));
    await ping(session);
    // `close` would end the body first, and then reset.
    stream.destroy();
    await ping(session);
    const closed = closing(session);
    world.acceptor.stop();
    await closed;
    expect(bodies).toEqual([]);
  });

  it.each([
    ['that are being answered', '/repos', false],
    ['that were refused', '/nothing', true],
  ])('ends the link of a peer that resets more than a hundred requests %s in ten seconds', async (_name, path, isAnswered) => {
    const { session } = await open({ repos: () => new Promise(() => undefined) });
    const closed = closing(session).then(() => 'closed');
    let resets = 0;
    for (let state = 'pong'; state === 'pong' && resets < 130; resets += 1) {
      const stream = session.request({ ':method': isAnswered ? 'POST' : 'GET', ':path': path }, { endStream: false });
      stream.on('error', () => undefined);
      await Promise.race([closed, isAnswered ? new Promise((resolve) => stream.once('response', resolve)) : ping(session)]);
      stream.destroy(new Error('reset'));
      state = await Promise.race([closed, ping(session)]);
    }
    expect([101, 102]).toContain(resets);
  });

  it('goes on with a peer that resets a hundred', async () => {
    const { session } = await open({ repos: () => new Promise(() => undefined), digest: () => Promise.resolve('well') });
    for (let resets = 0; resets < 100; resets += 1) {
      const stream = session.request({ ':path': '/repos' });
      stream.on('error', () => undefined);
      await ping(session);
      stream.destroy(new Error('reset'));
      await ping(session);
    }
    expect((await ask(session, { ':method': 'POST', ':path': '/digest' }, '{}')).text).toBe('"well"');
  });

  it('asks no handler for a request that was reset in the same breath', async () => {
    let asked = 0;
    const { session } = await open({ repos: () => Promise.resolve((asked += 1)) });
    for (let count = 0; count < 10; count += 1) {
      const stream = session.request({ ':path': '/repos' }, { endStream: false });
      stream.on('error', () => undefined);
      stream.destroy();
    }
    await ping(session);
    expect(asked).toBe(0);
    expect((await ask(session, { ':path': '/repos' })).text).toBe('1');
  });

  it('takes headers up to their limit, and resets a request with more', async () => {
    const { session } = await open({ repos: () => Promise.resolve('well') });
    const withHeader = (length: number): OutgoingHttpHeaders => ({ ':path': '/repos', 'x-long': 'x'.repeat(length) });
    expect((await ask(session, withHeader(4000))).text).toBe('"well"');
    const stream = session.request(withHeader(12_000));
    let isAnswered = false;
    stream.on('response', () => (isAnswered = true)).resume();
    await expect(once(stream, 'close')).rejects.toThrow('ENHANCE_YOUR_CALM');
    expect(isAnswered).toBe(false);
    expect((await ask(session, { ':path': '/repos' })).text).toBe('"well"');
  });

  it('answers sixteen requests at a time', async () => {
    const gate = defer();
    let begun = 0;
    const { session } = await open({
      repos: async () => {
        begun += 1;
        await gate.promise;
        return begun;
      },
    });
    const answers = Array.from({ length: 20 }, () => requestJson(session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 }));
    await until(() => begun === 16);
    await ping(session);
    expect(begun).toBe(16);
    gate.resolve();
    await Promise.all(answers);
    expect(begun).toBe(20);
  });
});
