// One try at the account's server, as the account says. Rule: a certificate that the server shows is noted, and an error that it explains is told with it.

import { readFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { Fault } from '../lib/errors.ts';
import { domainOf } from '../lib/jid.ts';
import type { Account } from '../home/account.ts';
import { connect } from '../xmpp/connection.ts';
import type { Connection } from '../xmpp/connection.ts';
import type { AccountParts } from './account.ts';

/** @throws Fault why the server was not reached, or did not let it in */
export async function dialAccount(
  { clock, log, random, trace, identity, certificates }: AccountParts,
  by: { readonly account: Account; readonly password: string; readonly signal: AbortSignal; readonly onMechanism: (name: string) => void },
): Promise<Connection> {
  const { account, password, signal, onMechanism } = by;
  const domain = domainOf(account.jid);
  const ca = account.caFile === undefined ? undefined : await readCa(account.caFile);
  return connect({
    account: { jid: account.jid, server: account.server, ca },
    password,
    resource: identity().resource,
    clock,
    log: log.scope('xmpp'),
    random,
    resolver: new Resolver(),
    signal,
    trace,
    strongestMechanism: account.strongestMechanism,
    onMechanism,
    onCertificate: (certificate) => void certificates.note(domain, certificate),
  }).catch(async (error: unknown) => {
    throw await certificates.explain(domain, error);
  });
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Fault('tls', `the certificate file ${path} cannot be read`, { remedy: 'git xmpp login again with --ca', cause });
  }
}
