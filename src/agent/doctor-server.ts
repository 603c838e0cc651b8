// The doctor's way to the server and through it: names, TCP, TLS, sign-in, and what the server is like then (docs/git-xmpp.1).
// Rule: it signs in beside the agent under a resource of its own, with the password as it is kept, tells neither, and leaves nothing on the account.

import { Proxies } from '../carriers/proxies.ts';
import { probeProxy } from '../carriers/proxy-probe.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import { domainOf } from '../lib/jid.ts';
import { silentLog } from '../lib/log.ts';
import { ServerCertificateFile } from '../home/server-certificate.ts';
import { connect } from '../xmpp/connection.ts';
import type { Connection } from '../xmpp/connection.ts';
import { LoginListener } from '../xmpp/login-facts-format.ts';
import { measureInBand, measureSkew, tryPep } from '../xmpp/measure.ts';
import { probeAddresses, probeNames, probeTarget } from '../xmpp/probe.ts';
import type { ProbedTarget, ProbeOptions } from '../xmpp/probe.ts';
import type { SrvResolver, Target } from '../xmpp/resolve.ts';
import { broken, notTried } from './doctor-format.ts';
import type { Check, CheckId } from './doctor-format.ts';
import { judgeClock, judgeInBand, judgeLimits, judgeManagement, judgeNames, judgeProxies, judgeSignIn, judgeTcp, judgeTls } from './doctor-server-format.ts';
import type { DoctorParts, Known } from './doctor.ts';

const AFTER_NAMES: readonly CheckId[] = ['tcp', 'tls', 'sign-in'];
const AFTER_SIGN_IN: readonly CheckId[] = ['stream-management', 'limits', 'clock', 'pep', 'proxy', 'in-band'];
/** Hosts that are tried; SRV records of public servers name two or three. */
const MOST_HOSTS = 4;
const WITHOUT_PEP = "ask the server's operator for it; until then a code is typed with the whole address that git xmpp pair shows, and invites do not work";

/** @param resolver another than the machine's, in specs */
export async function* examineServer(parts: DoctorParts, known: Known, resolver?: SrvResolver): AsyncGenerator<Check> {
  const { account, ca } = known;
  const domain = domainOf(account.jid);
  const options: ProbeOptions = { domain, override: account.server, ca, resolver, clock: parts.clock };
  const names = await checkNames(options);
  yield names.check;
  if (names.check.state === 'broken') return yield* notTried([...AFTER_NAMES, ...AFTER_SIGN_IN], 'there is no address of the server');
  const probed = await Promise.all(names.targets.map((target) => probeTarget(target, options)));
  const tcp = judgeTcp(probed);
  yield tcp;
  if (tcp.state === 'broken') return yield* notTried(['tls', 'sign-in', ...AFTER_SIGN_IN], 'the server cannot be reached');
  const tls = await checkTls(parts, probed, domain);
  yield tls;
  if (tls.state === 'broken') return yield* notTried(['sign-in', ...AFTER_SIGN_IN], 'there is no encrypted way to the server, and without nothing is sent');
  yield* examineSignedIn(parts, known, resolver);
}

async function checkNames(options: ProbeOptions): Promise<{ readonly check: Check; readonly targets: readonly Target[] }> {
  try {
    const { targets: all, source } = await probeNames(options);
    const targets = all.slice(0, MOST_HOSTS);
    const addresses = new Map<string, readonly string[] | Fault>();
    for (const target of targets) {
      addresses.set(target.host, await probeAddresses(target, options.clock).catch((error: unknown) => asFault(error, 'looking up')));
    }
    return { check: judgeNames({ domain: options.domain, targets, source, addresses }), targets };
  } catch (error) {
    return { check: broken('dns', asFault(error, 'looking the server up')), targets: [] };
  }
}

async function checkTls({ home, clock }: DoctorParts, probed: readonly ProbedTarget[], domain: string): Promise<Check> {
  const noted = await new ServerCertificateFile(home).read(domain);
  return judgeTls({ probed, noted, now: clock.now() });
}

async function* examineSignedIn(parts: DoctorParts, { account, password, ca }: Known, resolver: SrvResolver | undefined): AsyncGenerator<Check> {
  const { clock, random } = parts;
  const listener = new LoginListener();
  let mechanism = '';
  const since = clock.now();
  let connection: Connection;
  try {
    connection = await connect({
      account: { jid: account.jid, server: account.server, ca },
      password,
      resource: `git-xmpp-doctor-${Buffer.from(random(6)).toString('hex')}`,
      clock,
      log: silentLog,
      resolver,
      strongestMechanism: account.strongestMechanism,
      onMechanism: (name) => (mechanism = name),
      trace: (direction, element) => listener.hear(direction, element),
    });
  } catch (error) {
    yield broken('sign-in', asFault(error, 'signing in'));
    yield* notTried(AFTER_SIGN_IN, 'the server lets this account not in');
    return;
  }
  try {
    yield judgeSignIn({ mechanism, facts: listener.facts, tookMs: Math.max(0, clock.now() - since) }, account);
    yield judgeManagement(listener.facts);
    yield judgeLimits(listener.facts, connection.maxStanzaBytes);
    yield* examineStream(parts, connection, account);
  } finally {
    await connection.close();
  }
}

/** What is asked of the server, each for itself. */
async function* examineStream({ clock, random }: DoctorParts, connection: Connection, { jid }: Known['account']): AsyncGenerator<Check> {
  yield await attempt('clock', async () => judgeClock(await measureSkew(connection, clock)));
  const pep = await attempt('pep', async () => {
    await tryPep(connection, jid, Buffer.from(random(6)).toString('hex'));
    return { id: 'pep', state: 'ok', words: 'the account keeps an item, and gives it back (XEP-0163)' };
  });
  yield pep.state === 'broken' ? { ...pep, remedy: WITHOUT_PEP } : pep;
  const proxies = await new Proxies({ connection, clock, log: silentLog }).find();
  const tried = proxies.map(async (proxy) => ({ proxy, result: await probeProxy(proxy, { connection, clock, random }).catch((error: unknown) => asFault(error, proxy.jid)) }));
  yield* judgeProxies(await Promise.all(tried));
  yield await attempt('in-band', async () => judgeInBand(await measureInBand(connection, clock)));
}

async function attempt(id: CheckId, work: () => Promise<Check>): Promise<Check> {
  try {
    return await work();
  } catch (error) {
    return broken(id, asFault(error, id));
  }
}
