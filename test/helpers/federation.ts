// Two Prosody servers that talk to each other over TLS, as two real ones would.
// Rule: they find each other by SRV records of the test's own name server and trust one private CA; the machine's DNS is never asked.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { srv, startNameServer } from './name-server.ts';
import { findFreePorts } from './ports.ts';
import { startProsody } from './prosody.ts';
import type { Prosody, ProsodyOptions } from './prosody.ts';

export interface Federation {
  readonly north: Prosody;
  readonly south: Prosody;
  stop(): Promise<void>;
}

export interface FederationOptions extends Pick<ProsodyOptions, 'rate' | 'stanzaLimit' | 'hasStanzaLog' | 'hasPep'> {
  /** Default `north.test` and `south.test`. */
  readonly domains?: readonly [string, string];
  /** What each takes from the other, such as `30kb/s`; default no limit. */
  readonly s2sRate?: string;
}

/** Starts both; the first stanza between them makes the connection. */
export async function startFederation(options: FederationOptions = {}): Promise<Federation> {
  const { domains = ['north.test', 'south.test'], s2sRate, ...settings } = options;
  if (process.env.XMPP_SERVER === 'docker') throw new Error('two federating servers need an installed prosody; XMPP_SERVER=docker has only one');
  const ports = await findFreePorts(domains.length);
  const tlsDir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-federation-'));
  const records = domains.flatMap((domain, index) => [
    srv(`_xmpp-server._tcp.${domain}`, ports[index] ?? 0, domain),
    { type: 'A' as const, name: domain, ttl: 60, data: '127.0.0.1' },
  ]);
  const names = await startNameServer(records);
  const start = (index: 0 | 1): Promise<Prosody> =>
    startProsody({
      ...settings,
      domain: domains[index],
      s2s: { port: ports[index] ?? 0, dns: names.unboundAddress, tlsDir, ...(s2sRate === undefined ? {} : { rate: s2sRate }) },
    });
  // One after the other: the first makes the CA that both trust.
  const north = await start(0);
  const south = await start(1);
  return {
    north,
    south,
    async stop() {
      await Promise.all([north.stop(), south.stop(), names.stop()]);
      await rm(tlsDir, { recursive: true, force: true });
    },
  };
}
