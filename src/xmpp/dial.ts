// TCP and TLS to one of a server's hosts (RFC 6120 §5, XEP-0368).
// Rule: what comes out is encrypted and checked against the domain of the JID.

import { once } from 'node:events';
import net from 'node:net';
import { Fault } from '../lib/errors.ts';
import { withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { encrypt } from './encrypt.ts';
import type { ServerCertificate } from './encrypt.ts';
import { faultOfNetwork } from './faults.ts';
import type { Target } from './resolve.ts';
import { StreamSocket } from './socket.ts';
import { negotiateStartTls } from './starttls.ts';

export interface DialOptions {
  readonly domain: string;
  /** PEM; when given, these are the only authorities that are trusted. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Told of the certificate of the stream that is given. */
  readonly onCertificate?: ((certificate: ServerCertificate) => void) | undefined;
}

/** What one host may take to answer on TCP, and then for TLS. */
const STEP_MS = 12_000;

/**
 * Tries `targets` in turn and gives the first encrypted stream.
 * @throws Fault `dns`, `tcp`, `tls`, `no-encryption` or `timeout`: the most telling of what the hosts gave
 */
export async function dial(targets: readonly Target[], options: DialOptions): Promise<StreamSocket> {
  const faults: Fault[] = [];
  for (const target of targets) {
    try {
      return await dialTarget(target, options);
    } catch (error) {
      if (options.signal.aborted) throw error;
      const fault = faultOfNetwork(error, target.host, target.port);
      options.log.info('host failed', { host: target.host, port: target.port, why: fault.message });
      faults.push(fault);
    }
  }
  throw (
    faults.find(({ code }) => code !== 'tcp' && code !== 'dns') ??
    faults[0] ??
    new Fault('dns', `${options.domain} names no host`)
  );
}

async function dialTarget(target: Target, options: DialOptions): Promise<StreamSocket> {
  // A signal that is up already tells nobody any more.
  options.signal.throwIfAborted();
  const tcp = net.connect({ host: target.host, port: target.port, autoSelectFamily: true });
  const abort = (): void => void tcp.destroy(new Error('given up'));
  options.signal.addEventListener('abort', abort, { once: true });
  const within = <T>(work: Promise<T>, doing: string): Promise<T> =>
    withDeadline(
      work,
      STEP_MS,
      options.clock,
      () => new Fault('timeout', `${target.host}:${target.port} does not answer (${doing})`),
    );
  try {
    await within(untilConnected(tcp), 'connecting');
    // Small requests must not wait for the acknowledgement of the one before.
    tcp.setNoDelay(true);
    if (!target.isDirectTls) await within(negotiateStartTls(tcp, options.domain), 'asking for encryption');
    const { stream, certificate, problem } = await within(encrypt(tcp, target, options), 'encrypting');
    if (problem !== undefined) throw problem;
    if (certificate !== undefined) options.onCertificate?.(certificate);
    return new StreamSocket(stream);
  } catch (error) {
    tcp.destroy();
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abort);
  }
}

async function untilConnected(tcp: net.Socket): Promise<void> {
  // A later error closes the socket, and "close" is what the steps above listen to.
  await once(tcp, 'connect');
  tcp.on('error', () => undefined);
}
