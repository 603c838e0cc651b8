import { Element } from 'ltx';
import { describe, expect, it } from 'vitest';
import { formatUsed } from '../../../src/carriers/bytestreams-format.ts';
import type { Streamhost } from '../../../src/carriers/bytestreams-format.ts';
import { openOffered } from '../../../src/carriers/offered-stream.ts';
import type { OfferedStreamOptions } from '../../../src/carriers/offered-stream.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { EventClock } from '../../helpers/event-clock.ts';
import { startStreamhost } from '../../helpers/streamhosts.ts';
import type { Behaviour } from '../../helpers/streamhosts.ts';
import { connectPair } from '../../helpers/tcp-pair.ts';
import { until } from '../../helpers/waiting.ts';

const anna = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
const ben = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
const PROXY = 'proxy.one.example';
const silent = (): Promise<never> => new Promise(() => undefined);

interface World {
  /** What the target answers. */
  readonly query?: () => Promise<Element | undefined>;
  /** What the proxy answers to the activation. */
  readonly activate?: () => Promise<Element | undefined>;
  readonly proxyDoes?: Behaviour;
  readonly takeDirect?: OfferedStreamOptions['takeDirect'];
}

async function world({ query = silent, activate = silent, proxyDoes = 'accepts anyone', takeDirect = () => undefined }: World) {
  const clock = new EventClock();
  const streamhost = await startStreamhost(proxyDoes);
  const proxy: Streamhost = { jid: PROXY, host: streamhost.host, port: streamhost.port };
  const stop = new AbortController();
  const asked: string[] = [];
  const failed: Streamhost[] = [];
  const iq = (_type: 'get' | 'set', to: string | undefined, payload: Element): Promise<Element | undefined> => {
    asked.push(`${to} ${payload.toString()}`);
    return to === ben ? query() : activate();
  };
  const offer = { sid: 's', streamhosts: [{ jid: anna, host: '127.0.0.1', port: 1 }, proxy] };
  const opened = openOffered({
    peer: ben,
    offer,
    connection: { jid: anna, iq },
    clock,
    takeDirect,
    onProxyFailed: (one) => failed.push(one),
    signal: stop.signal,
  });
  opened.catch(() => undefined);
  return { clock, opened, streamhost, asked, failed, stop, proxy };
}

const uses = (jid: string) => () => Promise.resolve(formatUsed('s', jid));

describe('openOffered', () => {
  it('takes the connection that the target made to this machine', async () => {
    const [, socket] = await connectPair();
    const { opened } = await world({ query: uses(anna), takeDirect: () => ({ socket, early: new Uint8Array(0) }) });
    expect(await opened).toMatchObject({ kind: 'direct', addressClass: 'loopback', sid: 's', peer: ben });
  });

  it('goes to the proxy that the target chose, and has it activated for the target', async () => {
    const { opened, asked, streamhost, failed } = await world({ query: uses(PROXY), activate: () => Promise.resolve(undefined) });
    const carrier = await opened;
    expect(carrier).toMatchObject({ kind: 'socks5', addressClass: 'proxy', sid: 's', peer: ben });
    expect(asked[1]).toContain(`${PROXY} <query`);
    expect(asked[1]).toContain(`sid="s"><activate>${ben}</activate>`);
    expect([streamhost.accepted, failed]).toEqual([1, []]);
    void carrier.close();
  });

  it.each([
    ['the peer is gone', 'service-unavailable', 'peer-offline', 'not signed in'],
    ['its server is gone', 'remote-server-not-found', 'peer-offline', 'not signed in'],
    ['it reached no streamhost', 'item-not-found', 'tcp', 'none of the addresses'],
    ['it wants no stream', 'not-acceptable', 'server', 'refused the stream: not-acceptable'],
  ])('says that %s', async (_, condition, code, words) => {
    const { opened } = await world({ query: () => Promise.reject(new StanzaFault('cancel', condition)) });
    await expect(opened).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it.each([
    ['a streamhost that was not offered', uses('other.example'), 'was not offered'],
    ['nothing', () => Promise.resolve(undefined), 'no answer that can be read'],
    ['something else', () => Promise.resolve(new Element('query', { xmlns: 'urn:example:other' })), 'no answer that can be read'],
    ['this machine, and no connection came', uses(anna), 'no connection of its came'],
  ])('refuses a target that names %s', async (_, query, words) => {
    const { opened, streamhost } = await world({ query });
    await expect(opened).rejects.toMatchObject({ code: 'server', message: expect.stringContaining(words) as string });
    expect(streamhost.accepted).toBe(0);
  });

  it.each([
    ['refuses', 'tcp', 'not allowed'],
    ['closes at once', 'tcp', 'closed the connection'],
    ['answers for another stream', 'tcp', 'another stream'],
  ] as const)('notes a proxy that %s', async (proxyDoes, code, words) => {
    const { opened, failed, proxy } = await world({ query: uses(PROXY), proxyDoes });
    await expect(opened).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(failed).toEqual([proxy]);
  });

  it('notes a proxy that does not activate, and closes the connection to it', async () => {
    const { opened, failed, proxy, streamhost } = await world({ query: uses(PROXY), activate: () => Promise.reject(new StanzaFault('cancel', 'not-allowed')) });
    await expect(opened).rejects.toMatchObject({ code: 'server', message: expect.stringContaining('did not activate the stream: not-allowed') });
    expect(failed).toEqual([proxy]);
    await until(() => streamhost.open === 0);
  });

  it('waits 30 s for the target, and ten for the proxy and for its activation', async () => {
    const forTarget = await world({});
    await expect(forTarget.clock.finish(forTarget.opened)).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('30 s') });
    const forProxy = await world({ query: uses(PROXY), proxyDoes: 'says nothing' });
    await until(() => forProxy.streamhost.open === 1);
    await expect(forProxy.clock.finish(forProxy.opened)).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('gave no stream within 10 s') });
    const forActivation = await world({ query: uses(PROXY) });
    await until(() => forActivation.asked.length === 2);
    await expect(forActivation.clock.finish(forActivation.opened)).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('the activation within 10 s') });
    await until(() => forProxy.streamhost.open + forActivation.streamhost.open === 0);
  });

  it('gives up at every step when it is told to, and blames no proxy', async () => {
    const fault = new Fault('not-connected', 'taken back');
    const steps = [await world({}), await world({ query: uses(PROXY), proxyDoes: 'says nothing' }), await world({ query: uses(PROXY) })];
    const [first, second, third] = steps;
    await until(() => first?.asked.length === 1 && second?.streamhost.open === 1 && third?.asked.length === 2);
    for (const { stop, opened, failed, streamhost } of steps) {
      stop.abort(fault);
      await expect(opened).rejects.toBe(fault);
      expect(failed).toEqual([]);
      await until(() => streamhost.open === 0);
    }
  });
});
