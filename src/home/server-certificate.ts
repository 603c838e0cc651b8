// The certificate that the account's server was let in with last time, so that a change can be told (docs/decisions/0043-the-doctor-tries-it.md).
// Rule: a hint for people and nothing more: whether a server is let in is decided by TLS alone.

import { join } from 'node:path';
import { InputFault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import { Fields } from './fields-format.ts';
import type { Home } from './paths.ts';
import { StateFile } from './state.ts';

export interface NotedCertificate {
  /** The server's name. */
  readonly domain: string;
  /** SHA-256 in lower-case hex. */
  readonly fingerprint: string;
  readonly issuer: string;
  /** When it was first seen here, and when it ends, in milliseconds since 1970. */
  readonly since: number;
  readonly validTo: number;
}

/** `state/server-certificate.json` of a home. */
export class ServerCertificateFile {
  readonly #file: StateFile<NotedCertificate | undefined>;

  constructor(home: Pick<Home, 'state'>) {
    this.#file = new StateFile(join(home.state, 'server-certificate.json'), parseNoted, () => undefined);
  }

  /** What was noted of `domain`; undefined when nothing was, or the file cannot be read. */
  async read(domain: string): Promise<NotedCertificate | undefined> {
    const noted = await this.#file.read().catch(() => undefined);
    return noted?.domain === domain ? noted : undefined;
  }

  /** Notes a certificate that let the server in; one that is noted already keeps its day. @throws Fault `disk-full`, `permissions` */
  async note(seen: NotedCertificate): Promise<void> {
    const before = await this.read(seen.domain);
    if (before?.fingerprint === seen.fingerprint) return;
    await this.#file.write(seen);
  }
}

function parseNoted(value: unknown): NotedCertificate {
  const fields = new Fields(value, 'certificate');
  const noted = {
    domain: fields.text('domain', shorten),
    fingerprint: fields.text('fingerprint', parseFingerprint),
    issuer: fields.text('issuer', shorten),
    since: fields.count('since'),
    validTo: fields.count('validTo'),
  };
  fields.end();
  return noted;
}

function parseFingerprint(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InputFault('fingerprint', 'is no SHA-256');
  return text;
}
