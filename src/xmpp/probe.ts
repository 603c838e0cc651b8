// The way to a server, tried step by step and told as it is: names, addresses, TCP, encryption (RFC 6120 §3.2, §5; XEP-0368).
// Rule: every step has a deadline, nothing of the account is sent, and whatever was opened is closed.

import dns from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import { domainToASCII } from 'node:url';
import { Fault, asFault, codeOf } from '../lib/errors.ts';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { encrypt } from './encrypt.ts';
import type { Encrypted } from './encrypt.ts';
import { faultOfNetwork } from './faults.ts';
import { resolveServer } from './resolve.ts';
import type { SrvResolver, Target } from './resolve.ts';
import { negotiateStartTls } from './starttls.ts';

export interface ProbeOptions {
  readonly domain: string;
  /** What the user named with `--server`. */
  readonly override?: Target | undefined;
  /** PEM of the only authorities that are trusted. */
  readonly ca?: string | undefined;
  readonly resolver?: SrvResolver | undefined;
  readonly clock: Clock;
}

/** Where the names came from: the user, SRV records, or the domain itself because it has none; or because DNS did not answer. */
export type NameSource = 'named' | 'srv' | 'domain' | 'no-answer';

/** What one host made of it. */
export interface ProbedTarget {
  readonly target: Target;
  /** Address and port that answered. */
  readonly address?: string;
  /** From the name to the connection, in milliseconds. */
  readonly tcpMs?: number;
  readonly encrypted?: Omit<Encrypted, 'stream'>;
  /** Why it went no further: `dns`, `tcp`, `tls`, `no-encryption`, `server` or `timeout`. */
  readonly fault?: Fault;
}

/** No answer, as c-ares tells it (node:dns). */
const NO_ANSWER = /^(?:ETIMEOUT|ESERVFAIL|EREFUSED|ECONNREFUSED|ECANCELLED|EAI_AGAIN)$/;
const NAMES_MS = 12_000;
const STEP_MS = 8_000;

/**
 * Which hosts serve the domain, and who said so.
 * @throws Fault `dns` when there are none; `timeout`
 */
export async function probeNames(options: ProbeOptions): Promise<{ readonly targets: readonly Target[]; readonly source: NameSource; readonly silence?: string }> {
  const { domain, override, clock } = options;
  const resolver = options.resolver ?? new dns.Resolver({ timeout: 3000, tries: 2 });
  let silence: string | undefined;
  const noted: SrvResolver = {
    resolveSrv: (name) =>
      resolver.resolveSrv(name).catch((error: unknown) => {
        if (NO_ANSWER.test(codeOf(error) ?? '')) silence = codeOf(error);
        throw error;
      }),
  };
  const late = (): Fault => new Fault('timeout', `DNS did not answer about ${domain} within ${NAMES_MS / 1000} s`);
  const targets = await withDeadline(resolveServer(domain, { resolver: noted, override }), NAMES_MS, clock, late);
  if (override !== undefined) return { targets, source: 'named' };
  const own = domainToASCII(domain.replace(/\.$/, ''));
  const isOwn = targets.length === 1 && targets[0]?.host === own && targets[0].port === 5222 && !targets[0].isDirectTls;
  if (silence !== undefined && isOwn) return { targets, source: 'no-answer', silence };
  return { targets, source: isOwn ? 'domain' : 'srv' };
}

/** The addresses of a host (A, AAAA, or the hosts file). @throws Fault `dns`, `timeout` */
export async function probeAddresses({ host, port }: Target, clock: Clock): Promise<readonly string[]> {
  if (net.isIP(host) !== 0) return [host];
  const late = (): Fault => new Fault('timeout', `the name "${host}" was not looked up within ${STEP_MS / 1000} s`);
  try {
    const found = await withDeadline(dns.lookup(host, { all: true }), STEP_MS, clock, late);
    return found.map(({ address }) => address);
  } catch (error) {
    throw faultOfNetwork(error, host, port);
  }
}

/** Connects to one host and encrypts, and closes again. Never rejects: what went wrong is told. */
export async function probeTarget(target: Target, options: ProbeOptions): Promise<ProbedTarget> {
  const { clock, domain } = options;
  const { host, port } = target;
  const within = <T>(work: Promise<T>, doing: string): Promise<T> =>
    withDeadline(work, STEP_MS, clock, () => new Fault('timeout', `${host}:${port} does not answer (${doing})`, { remedy: TIMEOUT_REMEDY }));
  const since = clock.now();
  const tcp = net.connect({ host, port, autoSelectFamily: true });
  let reached: Pick<ProbedTarget, 'address' | 'tcpMs'> | undefined;
  try {
    await within(once(tcp, 'connect'), 'connecting');
    tcp.on('error', () => undefined);
    reached = { address: formatAddress(tcp.remoteAddress ?? host, tcp.remotePort ?? port), tcpMs: Math.max(0, clock.now() - since) };
    if (!target.isDirectTls) await within(negotiateStartTls(tcp, domain), 'asking for encryption');
    const { stream, ...encrypted } = await within(encrypt(tcp, target, options), 'encrypting');
    stream.on('error', () => undefined).destroy();
    return { target, ...reached, encrypted, ...(encrypted.problem === undefined ? {} : { fault: encrypted.problem }) };
  } catch (error) {
    return { target, ...reached, fault: reached === undefined ? faultOfNetwork(error, host, port) : asFault(error, `asking ${host}`) };
  } finally {
    tcp.on('error', () => undefined).destroy();
  }
}

function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const TIMEOUT_REMEDY = 'check the network, and that no firewall swallows what goes to that port';
