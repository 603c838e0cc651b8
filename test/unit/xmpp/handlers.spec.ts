import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { createLog } from '../../../src/lib/log.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { Handlers } from '../../../src/xmpp/handlers.ts';
import type { IncomingIq } from '../../../src/xmpp/connection-types.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';

const lines: string[] = [];
const log = createLog(
  (line) => lines.push(line),
  'debug',
  () => 0,
);

function request(name = 'ask', namespace = 'urn:x'): IncomingIq {
  return { type: 'set', from: 'ben@two.example/b', id: '1', payload: xml(name, { xmlns: namespace }) };
}

describe('Handlers', () => {
  it('calls the handler of name and namespace before it returns', () => {
    const handlers = new Handlers(log);
    const seen: string[] = [];
    handlers.handleIq('urn:x', 'ask', async ({ id }) => {
      seen.push(id);
      return undefined;
    });
    expect(handlers.answer(request())).toBeInstanceOf(Promise);
    expect(seen).toEqual(['1']);
    expect(handlers.answer(request('other'))).toBeUndefined();
    expect(handlers.answer(request('ask', 'urn:y'))).toBeUndefined();
  });

  it('gives a thrown stanza fault back, and hides any other failure behind internal-server-error', async () => {
    const handlers = new Handlers(log);
    handlers.handleIq('urn:x', 'refuse', () => Promise.reject(new StanzaFault('modify', 'bad-request')));
    handlers.handleIq('urn:x', 'break', () => Promise.reject(new Error('a path of mine')));
    expect(await handlers.answer(request('refuse'))).toMatchObject({ type: 'modify', condition: 'bad-request' });
    expect(await handlers.answer(request('break'))).toMatchObject({
      condition: 'internal-server-error',
      message: 'internal-server-error',
    });
    expect(lines.at(-1)).toContain('a path of mine');
  });

  it('answers what cannot be read with bad-request, and writes no line for it in the usual log', async () => {
    const handlers = new Handlers(log);
    handlers.handleIq('urn:x', 'read', () => Promise.reject(new InputFault('full JID', 'is none')));
    expect(await handlers.answer(request('read'))).toMatchObject({ type: 'modify', condition: 'bad-request' });
    expect(lines.at(-1)).toMatch(/ debug request failed/);
  });

  it('takes one handler per name, until it is taken away', () => {
    const handlers = new Handlers(log);
    const remove = handlers.handleIq('urn:x', 'ask', async () => undefined);
    expect(() => handlers.handleIq('urn:x', 'ask', async () => undefined)).toThrow('two handlers');
    remove();
    expect(handlers.answer(request())).toBeUndefined();
    handlers.handleIq('urn:x', 'ask', async () => undefined);
    remove();
    expect(handlers.answer(request())).toBeDefined();
  });

  it('turns requests away when a thousand wait for their answer', async () => {
    const handlers = new Handlers(log);
    handlers.handleIq('urn:x', 'ask', () => new Promise(() => undefined));
    for (let count = 0; count < 1024; count += 1) void handlers.answer(request());
    expect(await handlers.answer(request())).toMatchObject({ type: 'wait', condition: 'resource-constraint' });
  });

  it('has room again for each that was answered, however it went', async () => {
    const handlers = new Handlers(log);
    handlers.handleIq('urn:x', 'ask', () => Promise.resolve(undefined));
    handlers.handleIq('urn:x', 'break', () => Promise.reject(new Error('no')));
    for (let count = 0; count < 700; count += 1) await Promise.all([handlers.answer(request()), handlers.answer(request('break'))]);
    expect(await handlers.answer(request())).toBeUndefined();
  });

  it('hands headline payloads to who listens for their namespace, and to nobody else', () => {
    const handlers = new Handlers(log);
    const heard: string[] = [];
    const remove = handlers.onHeadline('urn:x', (from, payload) => heard.push(`${from} ${payload.name}`));
    handlers.onHeadline('urn:x', () => {
      throw new Error('broken listener');
    });
    const message = (type: string, namespace: string): void =>
      handlers.receiveMessage(xml('message', { type, from: 'ben@two.example/b' }, xml('news', { xmlns: namespace })));
    message('headline', 'urn:x');
    message('chat', 'urn:x');
    message('headline', 'urn:y');
    remove();
    message('headline', 'urn:x');
    expect(heard).toEqual(['ben@two.example/b news']);
  });
});
