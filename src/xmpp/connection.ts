// From an account to a signed-in stream: look up, dial, sign in.
// Rule: the whole takes 30 s at most, and what fails leaves nothing open.

import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { domainOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Connection } from './connection-types.ts';
import { dial } from './dial.ts';
import { answerDiscovery } from './discovery.ts';
import type { Element } from './element.ts';
import type { ServerCertificate } from './encrypt.ts';
import { resolveServer } from './resolve.ts';
import type { SrvResolver, Target } from './resolve.ts';
import { Session } from './session.ts';

export type { Connection, HeadlineHandler, IncomingIq, IqHandler } from './connection-types.ts';
export { StanzaFault } from './stanza-fault.ts';

export interface ConnectOptions {
  readonly account: {
    readonly jid: BareJid;
    readonly server?: Target | undefined;
    /** PEM of the only authorities that are trusted; undefined for the machine's. */
    readonly ca?: string | undefined;
  };
  readonly password: string;
  readonly resource: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly resolver?: SrvResolver | undefined;
  /** The strongest login mechanism that this account has used; a weaker one is refused. */
  readonly strongestMechanism?: string | undefined;
  /** Called with the mechanism of each login that succeeds. */
  readonly onMechanism?: ((name: string) => void) | undefined;
  /** Called with the server's certificate when it lets the server in. */
  readonly onCertificate?: ((certificate: ServerCertificate) => void) | undefined;
  /** Sees every element, secrets and all: print only what trace.ts makes of it. */
  readonly trace?: ((direction: 'in' | 'out', element: Element) => void) | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** From 0 up to 1; default Math.random. */
  readonly random?: (() => number) | undefined;
}

const DEADLINE_MS = 30_000;

/**
 * Signs in.
 * @throws Fault `dns`, `tcp`, `tls`, `no-encryption`, `no-mechanism`, `wrong-password`, `conflict`, `throttled`, `server` or
 *   `timeout`
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const domain = domainOf(options.account.jid);
  const late = new Fault('timeout', `${domain} did not let ${options.account.jid} in within ${DEADLINE_MS / 1000} s`, {
    remedy: 'it is tried again by itself; check the network if it goes on',
  });
  const giveUp = new AbortController();
  const stop = (): void => giveUp.abort(new Fault('not-connected', 'signing in was given up'));
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted === true) stop();
  try {
    const connection = await withDeadline(signIn(domain, options, giveUp.signal), DEADLINE_MS, options.clock, () => late);
    answerDiscovery(connection);
    return connection;
  } catch (error) {
    giveUp.abort(error);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

async function signIn(domain: string, options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { account, clock, log, resolver, random = Math.random, onCertificate } = options;
  const targets = await resolveServer(domain, { resolver, override: account.server, random });
  const socket = await dial(targets, { domain, ca: account.ca, clock, log, signal, onCertificate });
  return Session.open(socket, { ...options, jid: account.jid, random }, signal);
}
