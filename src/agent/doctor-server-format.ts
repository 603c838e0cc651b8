// How what a server showed becomes lines of the doctor's (docs/git-xmpp.1). Rule: a number is told with what it means for the user; a warning is a thing that
// its owner, or the server's operator, can better.

import type { Streamhost } from '../carriers/bytestreams-format.ts';
import type { Fault } from '../lib/errors.ts';
import type { Account } from '../home/account.ts';
import type { NotedCertificate } from '../home/server-certificate.ts';
import type { ServerCertificate } from '../xmpp/encrypt.ts';
import type { LoginFacts } from '../xmpp/login-facts-format.ts';
import type { Measured } from '../xmpp/measure.ts';
import type { NameSource, ProbedTarget } from '../xmpp/probe.ts';
import type { Target } from '../xmpp/resolve.ts';
import { broken } from './doctor-format.ts';
import type { Check } from './doctor-format.ts';

const DAY_MS = 86_400_000;
/** Certificates of public authorities are renewed thirty days before they end. */
const SOON_MS = 14 * DAY_MS;
/** Under this, in bytes a second, a server holds back what a client sends. */
const THROTTLED = 100_000;
const MUCH_DELAY_MS = 1_000;
const MUCH_SKEW_MS = 60_000;
/** What an element may have at least (RFC 6120 §13.12), and what a block of 4096 needs with all around it. */
const NEEDED_BYTES = 8_192;

const SOURCES: Readonly<Record<NameSource, string>> = {
  named: 'named with --server, so DNS is not asked',
  srv: 'by SRV records',
  domain: 'the domain itself, for it has no SRV records',
  'no-answer': 'the domain itself, for DNS did not answer about SRV records',
};

export interface NameFacts {
  readonly domain: string;
  readonly targets: readonly Target[];
  readonly source: NameSource;
  /** By host; a fault where it could not be looked up. */
  readonly addresses: ReadonlyMap<string, readonly string[] | Fault>;
}

export function judgeNames({ domain, targets, source, addresses }: NameFacts): Check {
  const hosts = targets.map(({ host, port, isDirectTls }) => `${host}:${port}${isDirectTls ? ' (direct TLS)' : ''}`);
  const faults = targets.map(({ host }) => addresses.get(host)).filter((each): each is Fault => each instanceof Error);
  const found = [...new Set([...addresses.values()].flatMap((each) => (each instanceof Error ? [] : each)))];
  const [fault] = faults;
  if (fault !== undefined && found.length === 0) return broken('dns', fault);
  const words = `${domain}: ${hosts.join(', ')} (${SOURCES[source]})${found.length === 0 ? '' : ` at ${found.slice(0, 4).join(', ')}`}`;
  if (fault !== undefined) return { id: 'dns', state: 'warn', code: fault.code, words: `${words}; ${fault.message}`, ...remedyOf(fault) };
  if (source === 'no-answer') return { id: 'dns', state: 'warn', code: 'dns', words, remedy: 'check this machine’s name server; --server host:port does without' };
  return { id: 'dns', state: 'ok', words };
}

/** Of several hosts one is enough. */
export function judgeTcp(probed: readonly ProbedTarget[]): Check {
  const up = probed.filter(({ address }) => address !== undefined);
  const down = probed.filter(({ address }) => address === undefined);
  const [first] = up;
  const [failed] = down;
  if (first === undefined) return broken('tcp', failed?.fault ?? { code: 'tcp', message: 'there is no host to connect to', remedy: 'git xmpp login with --server host:port' });
  const words = up.map(({ target, address, tcpMs }) => `${target.host}:${target.port} answers at ${address ?? ''} in ${tcpMs ?? 0} ms`).join('; ');
  const facts = { connectMs: first.tcpMs ?? 0 };
  if (failed?.fault === undefined) return { id: 'tcp', state: 'ok', words, facts };
  return { id: 'tcp', state: 'warn', code: failed.fault.code, words: `${words}; ${failed.fault.message}`, facts, ...remedyOf(failed.fault) };
}

export interface TlsFacts {
  readonly probed: readonly ProbedTarget[];
  /** The certificate that let the server in last time. */
  readonly noted: NotedCertificate | undefined;
  readonly now: number;
}

export function judgeTls({ probed, noted, now }: TlsFacts): Check {
  const reached = probed.filter(({ address }) => address !== undefined);
  const good = reached.find(({ fault }) => fault === undefined);
  const shown = (good ?? reached.find(({ encrypted }) => encrypted !== undefined) ?? reached[0])?.encrypted;
  const certificate = shown?.certificate;
  const fault = good === undefined ? reached.find((each) => each.fault !== undefined)?.fault : undefined;
  const described = certificate === undefined ? '' : describeCertificate(certificate, noted);
  if (fault !== undefined) return broken('tls', fault, { words: described === '' ? fault.message : `${fault.message}: ${described}`, ...factsOf(certificate) });
  if (certificate === undefined) return broken('tls', { code: 'tls', message: 'the server shows no certificate', remedy: "ask the server's operator" });
  const words = `${shown?.protocol ?? 'TLS'}, certificate ${described}`;
  const left = certificate.validTo - now;
  if (left < SOON_MS) {
    const remedy = "it is the server's operator who renews it";
    return { id: 'tls', state: 'warn', code: 'tls', words: `${words}: ${Math.max(0, Math.floor(left / DAY_MS))} days are left`, remedy, ...factsOf(certificate) };
  }
  return { id: 'tls', state: 'ok', words, ...factsOf(certificate) };
}

function factsOf(certificate: ServerCertificate | undefined): Pick<Check, 'facts'> {
  if (certificate === undefined) return {};
  const { subject, issuer, validTo, fingerprint } = certificate;
  return { facts: { subject, issuer, validTo, fingerprint } };
}

/** `localhost by Example CA, until 2027-01-31, SHA-256 12ab34cd…, the same as last time`. */
export function describeCertificate({ subject, issuer, validTo, fingerprint }: ServerCertificate, noted: NotedCertificate | undefined): string {
  const by = subject === issuer ? 'signed by itself' : `by ${issuer}`;
  const before = noted === undefined ? '' : noted.fingerprint === fingerprint ? `, in use since ${formatDay(noted.since)}` : `, another than before (by ${noted.issuer}, SHA-256 ${noted.fingerprint.slice(0, 8)}…)`;
  return `of ${subject} ${by}, until ${formatDay(validTo)}, SHA-256 ${fingerprint.slice(0, 8)}…${before}`;
}

function formatDay(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 10) : 'an unknown day';
}

export interface SignedIn {
  readonly mechanism: string;
  readonly facts: LoginFacts;
  readonly tookMs: number;
}

export function judgeSignIn({ mechanism, facts, tookMs }: SignedIn, account: Account): Check {
  const { iterations, offered } = facts;
  const isBound = mechanism.endsWith('-PLUS');
  const why = isBound ? 'bound to this TLS session' : offered.some((name) => name.endsWith('-PLUS')) ? 'not bound to the TLS session' : 'the server offers no channel binding';
  const rounds = iterations === undefined ? '' : `, ${iterations} rounds`;
  const words = `${account.jid} by ${mechanism} (${why}${rounds}) in ${tookMs} ms`;
  return { id: 'sign-in', state: 'ok', words, facts: { mechanism, isBound, tookMs, ...(iterations === undefined ? {} : { iterations }) } };
}

export function judgeManagement({ management }: LoginFacts): Check {
  if (management === 'on') return { id: 'stream-management', state: 'ok', words: 'on: the server says what it has got (XEP-0198)' };
  const words = management === 'absent' ? 'the server has none (XEP-0198): what a lost connection took with it is found out later' : 'the server offers it and refuses it (XEP-0198)';
  return { id: 'stream-management', state: 'warn', code: 'server', words, remedy: "ask the server's operator for it" };
}

/** @param assumed longest stanza that is sent in any case, in bytes */
export function judgeLimits({ maxBytes, idleSeconds }: LoginFacts, assumed: number): Check {
  const idle = idleSeconds === undefined ? '' : `, ends streams that are silent for ${idleSeconds} s`;
  const facts = { sentAtMost: assumed, ...(maxBytes === undefined ? {} : { maxBytes }), ...(idleSeconds === undefined ? {} : { idleSeconds }) };
  if (maxBytes === undefined) return { id: 'limits', state: 'ok', words: `the server does not tell its limits (XEP-0478); stanzas of ${assumed} bytes at most are sent${idle}`, facts };
  if (maxBytes < NEEDED_BYTES) {
    const words = `the server takes stanzas of ${maxBytes} bytes: large ones of ours are refused${idle}`;
    return { id: 'limits', state: 'broken', code: 'too-large', words, remedy: "ask the server's operator, or use an account on another server", facts };
  }
  return { id: 'limits', state: 'ok', words: `the server takes stanzas of ${maxBytes} bytes${idle}`, facts };
}

/** @param skew undefined where the server does not tell its time */
export function judgeClock(skew: { readonly aheadMs: number; readonly withinMs: number } | undefined): Check {
  if (skew === undefined) return { id: 'clock', state: 'ok', words: 'the server does not tell its time (XEP-0202), so this clock was compared with nothing' };
  const { aheadMs, withinMs } = skew;
  const facts = { aheadMs, withinMs };
  if (Math.abs(aheadMs) <= MUCH_SKEW_MS + withinMs) return { id: 'clock', state: 'ok', words: `this clock and the server's agree within ${Math.max(1, Math.round((Math.abs(aheadMs) + withinMs) / 1000))} s`, facts };
  const words = `this clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} the server's`;
  return { id: 'clock', state: 'warn', code: 'clock', words, remedy: 'set it by the network: sudo timedatectl set-ntp true', facts };
}

export interface ProxyFacts {
  readonly proxy: Streamhost;
  /** Milliseconds that a byte took there and back, or what became of it. */
  readonly result: number | Fault;
}

export function judgeProxies(probed: readonly ProxyFacts[]): readonly Check[] {
  if (probed.length === 0) {
    const remedy = "where two devices cannot connect directly, all goes in-band: ask the server's operator for proxy65 (XEP-0065)";
    return [{ id: 'proxy', state: 'warn', code: 'no-proxy', words: 'the server has no SOCKS5 proxy', remedy }];
  }
  return probed.map(({ proxy, result }) => {
    const where = `${proxy.jid} (${proxy.host} port ${proxy.port})`;
    if (typeof result === 'number') return { id: 'proxy', about: proxy.jid, state: 'ok', words: `${where} passed a byte each way in ${result} ms`, facts: { tookMs: result } };
    const remedy = "until it is mended all goes direct or in-band: tell the server's operator, or the firewall";
    return broken('proxy', { code: result.code, message: `${where} carries nothing: ${result.message}`, remedy }, { about: proxy.jid });
  });
}

export function judgeInBand({ delayMs, rate, bytes, loadedMs }: Measured): Check {
  const facts = { delayMs, rate, bytes, loadedMs };
  const words = `${formatRate(rate)} through the server to oneself, ${delayMs} ms to the server when idle, ${loadedMs} ms under way`;
  if (rate < THROTTLED) {
    const remedy = "commits go through in time, large clones better direct or by a proxy; the server's operator sets the limit";
    return { id: 'in-band', state: 'warn', code: 'throttled', words: `the server throttles what is sent: ${words}`, remedy, facts };
  }
  if (delayMs > MUCH_DELAY_MS) return { id: 'in-band', state: 'warn', code: 'timeout', words, remedy: 'the way to the server is slow: a nearer one, or a better network', facts };
  return { id: 'in-band', state: 'ok', words, facts };
}

function formatRate(rate: number): string {
  return rate < 1_000_000 ? `${(rate / 1000).toFixed(1)} kB/s` : `${(rate / 1_000_000).toFixed(1)} MB/s`;
}

function remedyOf({ remedy }: Fault): { readonly remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}
