// What callers have under way, counted at the door's routes.

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { countUnderWay } from '../../../src/agent/under-way.ts';
import type { ControlHandler, ControlRequest } from '../../../src/control/server.ts';

const REQUEST: ControlRequest = { path: '/x', query: new URLSearchParams(), body: undefined, signal: new AbortController().signal, headers: {} };

async function* lines(...values: readonly string[]): AsyncGenerator<string> {
  yield* values;
}

function handler<Kind extends ControlHandler['kind']>(routes: Readonly<Record<string, ControlHandler>>, route: string, kind: Kind): ControlHandler & { kind: Kind } {
  const found = routes[route];
  if (found?.kind !== kind) throw new Error(`${route} is no ${kind}`);
  return found as ControlHandler & { kind: Kind };
}

describe('what is under way at the door', () => {
  it('counts an answer until it is there, also when it fails', async () => {
    const { routes, count } = countUnderWay({
      'POST /good': { kind: 'json', answer: async () => 'done' },
      'POST /bad': { kind: 'json', answer: () => Promise.reject(new Error('no')) },
    });
    const good = handler(routes, 'POST /good', 'json').answer(REQUEST);
    const bad = handler(routes, 'POST /bad', 'json').answer(REQUEST);
    expect(count()).toBe(2);
    expect(await good).toBe('done');
    await expect(bad).rejects.toThrow('no');
    expect(count()).toBe(0);
  });

  it('counts lines until they end or nobody reads on', async () => {
    const { routes, count } = countUnderWay({ 'POST /clone': { kind: 'lines', answer: () => lines('a', 'b') } });
    for await (const line of handler(routes, 'POST /clone', 'lines').answer(REQUEST)) {
      expect([line, count()]).toEqual(['a', 1]);
      break;
    }
    expect(count()).toBe(0);
  });

  it('counts a stream until its socket closes, and one that could not be opened no longer', async () => {
    let isOpen = true;
    const { routes, count } = countUnderWay({
      'POST /streams': { kind: 'stream', open: () => (isOpen ? Promise.resolve() : Promise.reject(new Error('offline'))) },
    });
    const streams = handler(routes, 'POST /streams', 'stream');
    const socket = new PassThrough();
    await streams.open(REQUEST, socket);
    expect(count()).toBe(1);
    socket.destroy();
    await new Promise(setImmediate);
    expect(count()).toBe(0);
    isOpen = false;
    await expect(streams.open(REQUEST, new PassThrough())).rejects.toThrow('offline');
    expect(count()).toBe(0);
  });

  it('does not count who only looks on', async () => {
    const { routes, count } = countUnderWay({ 'GET /events': { kind: 'lines', answer: () => lines('a') } });
    for await (const _line of handler(routes, 'GET /events', 'lines').answer(REQUEST)) expect(count()).toBe(0);
  });
});
