import { parse } from 'ltx';
import type { Element } from 'ltx';
import { describe, expect, it } from 'vitest';
import { Proxies } from '../../../src/carriers/proxies.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { createLog } from '../../../src/lib/log.ts';
import { NS_BYTESTREAMS, NS_DISCO_INFO, NS_DISCO_ITEMS } from '../../../src/xmpp/namespaces.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { EventClock } from '../../helpers/event-clock.ts';

const log = createLog(() => undefined, 'warn', () => 0);
const silent = (): Promise<never> => new Promise(() => undefined);
type Answer = string | (() => Promise<Element>);

const items = (...jids: readonly string[]): string => `<query xmlns="${NS_DISCO_ITEMS}">${jids.map((jid) => `<item jid="${jid}"/>`).join('')}</query>`;
const identity = (category: string, type: string): string => `<query xmlns="${NS_DISCO_INFO}"><identity category="${category}" type="${type}"/></query>`;
const address = (jid: string, host = '192.0.2.1', port = 7625): string =>
  `<query xmlns="${NS_BYTESTREAMS}"><streamhost jid="${jid}" host="${host}" port="${port}"/></query>`;

/** A server that answers `${jid} ${namespace}` as it is told, and everything else with an error. */
function server(answers: Readonly<Record<string, Answer>>) {
  const clock = new EventClock();
  const asked: string[] = [];
  const iq = (_type: 'get' | 'set', to: string | undefined, payload: Element): Promise<Element> => {
    const key = `${to} ${payload.getNS()}`;
    asked.push(key);
    const answer = answers[key];
    if (answer === undefined) return Promise.reject(new StanzaFault('cancel', 'service-unavailable'));
    return typeof answer === 'string' ? Promise.resolve(parse(answer)) : answer();
  };
  const jid = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
  return { clock, asked, proxies: new Proxies({ connection: { jid, iq }, clock, log }) };
}

function proxyAt(jid: string): Record<string, Answer> {
  return { [`${jid} ${NS_DISCO_INFO}`]: identity('proxy', 'bytestreams'), [`${jid} ${NS_BYTESTREAMS}`]: address(jid) };
}

const ITEMS = `one.example ${NS_DISCO_ITEMS}`;
const found = (jid: string) => ({ jid, host: '192.0.2.1', port: 7625 });

describe('Proxies', () => {
  it('finds the proxies among the items of the own server, and asks once', async () => {
    const { proxies, asked } = server({
      [ITEMS]: items('rooms.one.example', 'proxy.one.example'),
      [`rooms.one.example ${NS_DISCO_INFO}`]: identity('conference', 'text'),
      ...proxyAt('proxy.one.example'),
    });
    expect(await proxies.find()).toEqual([found('proxy.one.example')]);
    expect(await proxies.find()).toEqual([found('proxy.one.example')]);
    expect(await proxies.isGenuine(found('proxy.one.example'))).toBe(true);
    expect(asked).toHaveLength(4);
  });

  it('takes the one of its own node, which a cluster tells from the others by a resource', async () => {
    const jid = 'proxy.one.example';
    const { proxies } = server({ [ITEMS]: items(jid), ...proxyAt(jid), [`${jid} ${NS_BYTESTREAMS}`]: address(`${jid}/15390452`) });
    expect(await proxies.find()).toEqual([found(`${jid}/15390452`)]);
    const other = server({ [ITEMS]: items(jid), ...proxyAt(jid), [`${jid} ${NS_BYTESTREAMS}`]: address(`${jid}.evil.example/1`) });
    expect(await other.proxies.find()).toEqual([]);
  });

  it.each([
    ['is silent', silent],
    ['answers something else', '<query xmlns="urn:example:other"/>'],
    ['has no items', items()],
    ['has items that are no domains', items('', 'a b', 'anna@one.example', 'anna@one.example/x')],
  ])('finds none when the server %s', async (_, answer) => {
    const { proxies, clock } = server({ [ITEMS]: answer });
    const before = clock.now();
    expect(await clock.finish(proxies.find())).toEqual([]);
    expect(clock.now() - before).toBeLessThanOrEqual(5000);
  });

  it('asks again when the server was silent, and not when it had none', async () => {
    const quiet = server({ [ITEMS]: silent });
    await quiet.clock.finish(quiet.proxies.find());
    await quiet.clock.finish(quiet.proxies.find());
    expect(quiet.asked).toHaveLength(2);
    const empty = server({ [ITEMS]: items() });
    await empty.proxies.find();
    await empty.proxies.find();
    expect(empty.asked).toHaveLength(1);
  });

  it.each([
    ['does not say what it is', { [`p.one.example ${NS_DISCO_INFO}`]: silent }],
    ['does not say where it listens', { [`p.one.example ${NS_BYTESTREAMS}`]: silent }],
    ['speaks for another', { [`p.one.example ${NS_BYTESTREAMS}`]: address('q.one.example') }],
    ['names a wrong port', { [`p.one.example ${NS_BYTESTREAMS}`]: address('p.one.example', '192.0.2.1', 0) }],
  ])('leaves out a proxy that %s', async (_, wrong) => {
    const { proxies, clock } = server({ [ITEMS]: items('p.one.example', 'q.one.example'), ...proxyAt('p.one.example'), ...proxyAt('q.one.example'), ...wrong });
    expect(await clock.finish(proxies.find())).toEqual([found('q.one.example')]);
  });

  it('looks at 32 items and keeps four proxies', async () => {
    const jids = Array.from({ length: 40 }, (_one, at) => `p${at}.one.example`);
    const last = server({ [ITEMS]: items(...jids), ...proxyAt('p31.one.example'), ...proxyAt('p32.one.example') });
    expect(await last.proxies.find()).toEqual([found('p31.one.example')]);
    const many = server({ [ITEMS]: items(...jids), ...Object.assign({}, ...jids.map(proxyAt)) });
    expect(await many.proxies.find()).toHaveLength(4);
    expect(many.asked.length).toBeLessThan(20);
  });

  it('knows a proxy as genuine only where it says that it listens', async () => {
    const { proxies } = server(proxyAt('proxy.two.example'));
    expect(await proxies.isGenuine(found('proxy.two.example'))).toBe(true);
    expect(await proxies.isGenuine({ ...found('proxy.two.example'), port: 22 })).toBe(false);
    expect(await proxies.isGenuine({ ...found('proxy.two.example'), host: '127.0.0.1' })).toBe(false);
    expect(await proxies.isGenuine(found('other.two.example'))).toBe(false);
  });

  it('asks a proxy again that did not answer', async () => {
    const { proxies, clock, asked } = server({ [`p.one.example ${NS_BYTESTREAMS}`]: silent });
    expect(await clock.finish(proxies.isGenuine(found('p.one.example')))).toBe(false);
    expect(await clock.finish(proxies.isGenuine(found('p.one.example')))).toBe(false);
    expect(asked).toHaveLength(2);
  });

  it('remembers the answers of 32 proxies', async () => {
    const jids = Array.from({ length: 33 }, (_one, at) => `p${at}.one.example`);
    const { proxies, asked } = server(Object.assign({}, ...jids.map(proxyAt)));
    for (const jid of [...jids, 'p32.one.example', 'p0.one.example']) await proxies.isGenuine(found(jid));
    expect(asked).toHaveLength(34);
  });
});
