// Peers and shared repositories to store. Rule: each is whole and valid; a spec says only what it is about.

import { createHash } from 'node:crypto';
import { deviceIdOf } from '../../src/home/fingerprint.ts';
import type { Peer } from '../../src/home/peers-format.ts';
import type { SharedRepo } from '../../src/home/repos-format.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { parsePetname, parseRepoId } from '../../src/lib/names.ts';

/** The public key of a device that `seed` names: of the right form, though nobody knows its private half. */
export function makeSpki(seed: string): string {
  const key = createHash('sha256').update(seed).digest();
  return Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]).toString('base64');
}

/** A peer whose key, petname and name come from `name`. */
export function makePeer(name: string, patch: Partial<Peer> = {}): Peer {
  const spki = makeSpki(name);
  return {
    device: deviceIdOf(spki),
    petname: parsePetname(name),
    kind: 'own',
    jid: parseBareJid('anna@example.org'),
    spki,
    recipient: `age1${'q'.repeat(58)}`,
    name,
    pairedAt: 1_700_000_000_000,
    ...patch,
  };
}

/** A repository whose id, name and paths come from `name`. */
export function makeSharedRepo(name: string, patch: Partial<SharedRepo> = {}): SharedRepo {
  const digits = createHash('sha256').update(name).digest('hex');
  const groups = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20, 32)];
  return {
    id: parseRepoId(groups.join('-')),
    name,
    path: `/home/anna/${name}`,
    gitDir: `/home/anna/${name}/.git`,
    audience: 'own',
    grants: {},
    isFolder: false,
    branches: [],
    ...patch,
  };
}
