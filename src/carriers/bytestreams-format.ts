// The elements of SOCKS5 Bytestreams (XEP-0065 1.8.2 §4 to §6), and the name by which both ends ask for a stream.
// Rule: every list, host, port and JID is checked and bounded here, once; what cannot be a place to connect to is never handed on.

import { createHash } from 'node:crypto';
import { Element } from 'ltx';
import { InputFault } from '../lib/errors.ts';
import { domainOf, parseBareJid, parseFullJid, shorten } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import { NS_BYTESTREAMS } from '../xmpp/namespaces.ts';
import { parseSid } from './ibb-format.ts';

/** Streamhosts of one offer at most. */
export const MAX_STREAMHOSTS = 16;
const MAX_HOST_LENGTH = 255;

/** A place where a stream can be had. */
export interface Streamhost {
  /** Who listens there: the full JID of the requester itself, or the domain of a proxy. */
  readonly jid: string;
  /** An IPv4 or IPv6 address without brackets and zone, or a DNS name; in lower case. */
  readonly host: string;
  /** 1 to 65 535. */
  readonly port: number;
}

/** What one device offers another: a stream, and where it can be had, best first. */
export interface BytestreamOffer {
  /** NMTOKEN of at most 128 characters. */
  readonly sid: string;
  /** 1 to 16. */
  readonly streamhosts: readonly Streamhost[];
}

/** The question of the requester to the target (§5.3.1). */
export function formatQuery({ sid, streamhosts }: BytestreamOffer): Element {
  const query = new Element('query', { xmlns: NS_BYTESTREAMS, sid, mode: 'tcp' });
  for (const { jid, host, port } of streamhosts) query.c('streamhost', { jid, host, port: String(port) });
  return query;
}

/** @throws InputFault when a part is missing or wrong, the mode is not `tcp`, or there are no streamhosts or more than 16 */
export function parseQuery(element: Element): BytestreamOffer {
  const mode: unknown = element.attrs['mode'] ?? 'tcp';
  if (mode !== 'tcp') throw new InputFault('mode', 'is not tcp');
  return { sid: parseSid(element), streamhosts: parseStreamhosts(element) };
}

/** The question to a proxy where it listens (§4.2). */
export function formatAddressQuery(): Element {
  return new Element('query', { xmlns: NS_BYTESTREAMS });
}

/** The streamhosts in a `<query/>`. @throws InputFault when there are none, more than 16, or one is wrong */
export function parseStreamhosts(element: Element): Streamhost[] {
  const found = element.getChildren('streamhost').filter((child) => child.getNS() === NS_BYTESTREAMS);
  return checkStreamhosts(found.map(({ attrs }) => parseStreamhost({ jid: attrs['jid'], host: attrs['host'], port: attrs['port'] })));
}

/** What the target answers: which streamhost it is connected to (§5.3.2). */
export function formatUsed(sid: string, jid: string): Element {
  const query = new Element('query', { xmlns: NS_BYTESTREAMS, sid });
  query.c('streamhost-used', { jid });
  return query;
}

/** The JID of the streamhost that the target is connected to. @throws InputFault when the answer names none */
export function parseUsed(element: Element | undefined): string {
  const isOurs = element?.getName() === 'query' && element.getNS() === NS_BYTESTREAMS;
  const used = isOurs ? element.getChild('streamhost-used', NS_BYTESTREAMS) : undefined;
  if (used === undefined) throw new InputFault('streamhost-used', 'is missing');
  return parseStreamhostJid(used.attrs['jid']);
}

/** What the requester asks of a proxy that both are connected to (§6.3.5). */
export function formatActivate(sid: string, target: FullJid): Element {
  const query = new Element('query', { xmlns: NS_BYTESTREAMS, sid });
  query.c('activate').t(target);
  return query;
}

/**
 * The DST.ADDR by which a streamhost knows the stream (§5.3.2): SHA-1 of sid, requester and target, in lower-case hex. SHA-1 names the
 * stream here and keeps nothing safe.
 */
export function destinationOf(sid: string, requester: FullJid, target: FullJid): string {
  return createHash('sha1').update(sid).update(requester).update(target).digest('hex');
}

/** An offer that came as plain data inside a link: `{sid, streamhosts: [{jid, host, port}]}`. @throws InputFault */
export function parseOffer(value: unknown): BytestreamOffer {
  const { sid, streamhosts } = fieldsOf(value, 'offer');
  if (!Array.isArray(streamhosts) || streamhosts.length > MAX_STREAMHOSTS) {
    throw new InputFault('streamhosts', `are no list of at most ${MAX_STREAMHOSTS}`);
  }
  const parsed = streamhosts.map((one: unknown) => {
    const { jid, host, port } = fieldsOf(one, 'streamhost');
    return parseStreamhost({ jid, host, port: typeof port === 'number' ? String(port) : port });
  });
  return { sid: parseSid(new Element('query', { sid: typeof sid === 'string' ? sid : '' })), streamhosts: checkStreamhosts(parsed) };
}

/** Whether two offers say the same: sid, and the same hosts in the same order. */
export function isSameOffer(a: BytestreamOffer, b: BytestreamOffer): boolean {
  return a.sid === b.sid && a.streamhosts.length === b.streamhosts.length && a.streamhosts.every((one, at) => isSameHost(one, b.streamhosts[at]));
}

export function isSameHost(a: Streamhost, b: Streamhost | undefined): boolean {
  return a.jid === b?.jid && a.host === b.host && a.port === b.port;
}

/** A full JID, or a domain, in normal form. @throws InputFault for anything else */
export function parseStreamhostJid(value: unknown): string {
  if (typeof value !== 'string' || value.length > 3072) throw new InputFault('streamhost', 'has no JID');
  const [bare = ''] = value.split('/', 1);
  if (bare.includes('@') && bare !== value) return parseFullJid(value);
  if (bare.includes('@')) throw new InputFault('streamhost', `"${shorten(value)}" is neither a full JID nor a domain`);
  // A proxy on one node of a cluster is told from the others by a resource (ejabberd's mod_proxy65).
  if (bare !== value) return parseFullJid(`x@${value}`).slice('x@'.length);
  return domainOf(parseBareJid(`x@${value}`));
}

function checkStreamhosts(streamhosts: Streamhost[]): Streamhost[] {
  if (streamhosts.length === 0 || streamhosts.length > MAX_STREAMHOSTS) {
    throw new InputFault('streamhosts', `are not 1 to ${MAX_STREAMHOSTS}`);
  }
  return streamhosts;
}

function parseStreamhost(value: { readonly jid: unknown; readonly host: unknown; readonly port: unknown }): Streamhost {
  const { port } = value;
  if (typeof port !== 'string' || !/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    throw new InputFault('port', 'is not a number from 1 to 65535');
  }
  return { jid: parseStreamhostJid(value.jid), host: parseHost(value.host), port: Number(port) };
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

function parseHost(value: unknown): string {
  const host = typeof value === 'string' && value.length <= MAX_HOST_LENGTH ? value.toLowerCase() : '';
  const isIpv6 = /^[0-9a-f:.]*:[0-9a-f:.]*$/.test(host) && URL.canParse(`http://[${host}]/`);
  if (isIpv6 || IPV4.test(host) || isDnsName(host)) return host;
  throw new InputFault('host', `"${shorten(String(value))}" is neither an IP address nor a DNS name`);
}

/** Not what a resolver would take for an IPv4 address in one of its older spellings: `127.1`, `0x7f000001`, `2130706433`. */
function isDnsName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  return labels.every((label) => LABEL.test(label)) && !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '');
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputFault(what, 'is no object');
  return Object.fromEntries(Object.entries(value));
}
