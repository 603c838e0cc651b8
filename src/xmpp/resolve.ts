// Which hosts serve a domain (RFC 6120 §3.2, RFC 2782, XEP-0368).
// Rule: the certificate is checked against the domain, whatever DNS says.

import { Resolver } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import { Fault, codeOf } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';

/** One place to try. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly isDirectTls: boolean;
}

interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** What is needed of `dns.promises.Resolver`. */
export interface SrvResolver {
  resolveSrv(name: string): Promise<SrvRecord[]>;
}

export interface ResolveOptions {
  readonly resolver?: SrvResolver | undefined;
  /** What the user named with `--server`: then DNS is not asked. */
  readonly override?: Target | undefined;
  /** From 0 up to 1, for the weighted order of equal priorities. */
  readonly random?: () => number;
}

const DEFAULT_PORT = 5222;
const MAX_TARGETS = 8;

/**
 * Where to connect for `domain`, best first.
 * @throws Fault `dns` when the name is none, or when DNS says that the domain has no XMPP service
 */
export async function resolveServer(domain: string, options: ResolveOptions = {}): Promise<Target[]> {
  if (options.override !== undefined) return [options.override];
  const name = domainToASCII(domain.replace(/\.$/, ''));
  if (name === '')
    throw new Fault('dns', `"${shorten(domain)}" is no name of a server`, { remedy: 'check the part of the JID after the "@"' });
  const resolver = options.resolver ?? new Resolver({ timeout: 3000, tries: 2 });
  const [direct, upgraded] = await Promise.all([
    lookUp(resolver, `_xmpps-client._tcp.${name}`),
    lookUp(resolver, `_xmpp-client._tcp.${name}`),
  ]);
  const records = [
    ...direct.map((record) => ({ ...record, isDirectTls: true })),
    ...upgraded.map((record) => ({ ...record, isDirectTls: false })),
  ];
  const usable = records.filter((record) => record.name !== '' && record.name !== '.');
  if (usable.length > 0) {
    return orderRecords(usable, options.random ?? Math.random)
      .slice(0, MAX_TARGETS)
      .map(({ name: host, port, isDirectTls }) => ({ host: host.replace(/\.$/, ''), port, isDirectTls }));
  }
  if (records.length > 0) {
    throw new Fault('dns', `${shorten(domain)} says that it has no XMPP service`, {
      remedy: 'check the part of the JID after the "@"',
    });
  }
  return [{ host: name, port: DEFAULT_PORT, isDirectTls: false }];
}

/** No record, and no answer, both mean that the domain itself is tried: a machine without DNS still has its hosts file. */
async function lookUp(resolver: SrvResolver, name: string): Promise<SrvRecord[]> {
  try {
    return await resolver.resolveSrv(name);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}

/** RFC 2782: by priority; among equals drawn by weight. Both record sets count as one (XEP-0368 §3). */
function orderRecords<R extends SrvRecord>(records: readonly R[], random: () => number): R[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: R[] = [];
  while (left.length > 0) {
    const priority = left[0]?.priority;
    const equals = left.filter((record) => record.priority === priority);
    const chosen = drawByWeight(equals, random());
    ordered.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return ordered;
}

function drawByWeight<R extends SrvRecord>(equals: readonly R[], random: number): R {
  const total = equals.reduce((sum, record) => sum + record.weight, 0);
  let mark = random * total;
  for (const record of equals) {
    mark -= record.weight;
    if (mark <= 0 || record === equals.at(-1)) return record;
  }
  throw new RangeError('no record to draw from');
}
