import { Element, parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import {
  destinationOf,
  formatActivate,
  formatAddressQuery,
  formatQuery,
  formatUsed,
  isSameOffer,
  parseOffer,
  parseQuery,
  parseStreamhostJid,
  parseStreamhosts,
  parseUsed,
} from '../../../src/carriers/bytestreams-format.ts';
import type { BytestreamOffer, Streamhost } from '../../../src/carriers/bytestreams-format.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { NS_BYTESTREAMS } from '../../../src/xmpp/namespaces.ts';

const anna = parseFullJid('anna@one.example/git-xmpp-aaaaaaaa');
const ben = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
const own: Streamhost = { jid: anna, host: '192.168.1.5', port: 5086 };
const proxy: Streamhost = { jid: 'proxy.one.example', host: 'proxy.one.example', port: 7625 };
const offer: BytestreamOffer = { sid: 'vj3hs98y', streamhosts: [own, { ...own, host: 'fd00::2' }, proxy] };

function queryWith(attrs: Readonly<Record<string, string | undefined>>, query: Readonly<Record<string, string>> = {}): Element {
  const element = new Element('query', { xmlns: NS_BYTESTREAMS, sid: 's', ...query });
  element.c('streamhost', { jid: proxy.jid, host: '192.0.2.1', port: '1', ...attrs });
  return element;
}

describe('a query', () => {
  it('is written as XEP-0065 shows it, and read back', () => {
    const text = formatQuery(offer).toString();
    expect(text).toContain('<query xmlns="http://jabber.org/protocol/bytestreams" sid="vj3hs98y" mode="tcp">');
    expect(text).toContain('<streamhost jid="proxy.one.example" host="proxy.one.example" port="7625"/>');
    expect(parseQuery(parse(text))).toEqual(offer);
  });

  it('needs no mode, and has no other than tcp', () => {
    const element = formatQuery(offer);
    delete element.attrs['mode'];
    expect(parseQuery(element)).toEqual(offer);
    element.attrs['mode'] = 'udp';
    expect(() => parseQuery(element)).toThrow('mode: is not tcp');
  });

  it('holds 1 to 16 streamhosts', () => {
    const of = (count: number) => formatQuery({ sid: 's', streamhosts: Array.from({ length: count }, () => proxy) });
    expect(parseQuery(of(16)).streamhosts).toHaveLength(16);
    for (const count of [0, 17]) expect(() => parseQuery(of(count))).toThrow(InputFault);
  });

  it('lets elements of others pass', () => {
    const element = formatQuery(offer);
    element.c('fast', { xmlns: 'http://affinix.com/jabber/stream' });
    element.c('streamhost', { xmlns: 'urn:example:other' });
    expect(parseQuery(element)).toEqual(offer);
  });

  it.each([
    ['a port of 0', { port: '0' }],
    ['a port past 65535', { port: '65536' }],
    ['a port with a sign', { port: '+1' }],
    ['no port', { port: undefined }],
    ['no host', { host: undefined }],
    ['an empty host', { host: '' }],
    ['a host with a space', { host: 'a b' }],
    ['a host with a zone', { host: 'fe80::1%eth0' }],
    ['an IPv6 address in brackets', { host: '[::1]' }],
    ['an IPv6 address with two gaps', { host: '1::2::3' }],
    ['an IPv4 address of three parts', { host: '127.0.1' }],
    ['an IPv4 address with a leading zero', { host: '010.0.0.1' }],
    ['an IPv4 address as one number', { host: '2130706433' }],
    ['an IPv4 address in hex', { host: '0x7f000001' }],
    ['a host past 255 characters', { host: `${'a.'.repeat(127)}aa` }],
    ['a label past 63 characters', { host: `${'a'.repeat(64)}.example` }],
    ['a host with an empty label', { host: 'a..b' }],
    ['no JID', { jid: undefined }],
    ['a bare JID', { jid: 'anna@one.example' }],
    ['a JID that is none', { jid: 'a b' }],
  ])('with %s is refused', (_, attrs) => {
    expect(() => parseQuery(queryWith(attrs))).toThrow(InputFault);
  });

  it.each([[''], ['a b'], ['a'.repeat(129)]])('with the sid "%s" is refused', (sid) => {
    expect(() => parseQuery(queryWith({}, { sid }))).toThrow(InputFault);
  });

  it.each([
    ['::1', '::1'],
    ['FD00::2', 'fd00::2'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['Proxy.One.Example.', 'proxy.one.example.'],
    ['localhost', 'localhost'],
    ['1.example', '1.example'],
  ])('has the host %s as %s', (host, wanted) => {
    expect(parseQuery(queryWith({ host })).streamhosts[0]?.host).toBe(wanted);
  });
});

describe('an answer', () => {
  it('of the target names the streamhost it uses', () => {
    expect(formatUsed('s', anna).toString()).toBe(
      `<query xmlns="${NS_BYTESTREAMS}" sid="s"><streamhost-used jid="${anna}"/></query>`,
    );
    expect(parseUsed(formatUsed('s', anna))).toBe(anna);
    expect(parseUsed(parse(`<query xmlns="${NS_BYTESTREAMS}"><streamhost-used jid="Proxy.One.Example"/></query>`))).toBe(proxy.jid);
    expect(parseUsed(parse(`<query xmlns="${NS_BYTESTREAMS}"><streamhost-used jid="Proxy.One.Example/15390452"/></query>`))).toBe(`${proxy.jid}/15390452`);
  });

  it.each([
    ['nothing', undefined],
    ['another element', parse('<query xmlns="urn:example:other"><streamhost-used jid="a.b"/></query>')],
    ['no streamhost', parse(`<query xmlns="${NS_BYTESTREAMS}"/>`)],
    ['a streamhost without JID', parse(`<query xmlns="${NS_BYTESTREAMS}"><streamhost-used/></query>`)],
  ])('of the target with %s is refused', (_, element) => {
    expect(() => parseUsed(element)).toThrow(InputFault);
  });

  it('of a proxy says where it listens', () => {
    expect(formatAddressQuery().toString()).toBe(`<query xmlns="${NS_BYTESTREAMS}"/>`);
    expect(parseStreamhosts(queryWith({ port: '7625', host: proxy.host }))).toEqual([proxy]);
  });
});

describe('an activation', () => {
  it('names the target', () => {
    expect(formatActivate('s', ben).toString()).toBe(`<query xmlns="${NS_BYTESTREAMS}" sid="s"><activate>${ben}</activate></query>`);
  });
});

describe('destinationOf', () => {
  it('is the SHA-1 of sid, requester and target in lower-case hex', () => {
    // printf '%s' s anna@one.example/git-xmpp-aaaaaaaa ben@two.example/git-xmpp-bbbbbbbb | sha1sum
    expect(destinationOf('s', anna, ben)).toBe('18ecb8090c5e9016a9b7c27303977f4597245df7');
    expect(destinationOf('s', ben, anna)).not.toBe(destinationOf('s', anna, ben));
  });
});

describe('parseOffer', () => {
  it('reads what an offer is as plain data', () => {
    expect(parseOffer(JSON.parse(JSON.stringify(offer)))).toEqual(offer);
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['no sid', { streamhosts: [proxy] }],
    ['a sid that is no NMTOKEN', { sid: 'a b', streamhosts: [proxy] }],
    ['no streamhosts', { sid: 's' }],
    ['an empty list', { sid: 's', streamhosts: [] }],
    ['17 streamhosts', { sid: 's', streamhosts: Array.from({ length: 17 }, () => proxy) }],
    ['a streamhost that is null', { sid: 's', streamhosts: [null] }],
    ['a port that is no whole number', { sid: 's', streamhosts: [{ ...proxy, port: 1.5 }] }],
    ['a host that is a number', { sid: 's', streamhosts: [{ ...proxy, host: 5 }] }],
  ])('refuses %s', (_, value) => {
    expect(() => parseOffer(value)).toThrow(InputFault);
  });
});

describe('isSameOffer', () => {
  it('wants the same sid and the same hosts in the same order', () => {
    expect(isSameOffer(offer, structuredClone(offer))).toBe(true);
    expect(isSameOffer(offer, { ...offer, sid: 'other' })).toBe(false);
    expect(isSameOffer(offer, { ...offer, streamhosts: [...offer.streamhosts].toReversed() })).toBe(false);
    expect(isSameOffer(offer, { ...offer, streamhosts: offer.streamhosts.slice(1) })).toBe(false);
    expect(isSameOffer(offer, { ...offer, streamhosts: [{ ...own, port: 1 }, ...offer.streamhosts.slice(1)] })).toBe(false);
  });
});

describe('parseStreamhostJid', () => {
  it('gives domains and full JIDs in their normal form', () => {
    expect(parseStreamhostJid('Proxy.Example')).toBe('proxy.example');
    expect(parseStreamhostJid('Anna@One.Example/Desk')).toBe('anna@one.example/Desk');
  });
});
