// Machines for a measurement: each with a home of its own, keys of its own and an account, paired with others by what pairing would have written.
// Rule: the files are what the agent's own code writes and reads; only the ceremony is left out.

import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadIdentity } from '../../src/home/identity.ts';
import type { Identity } from '../../src/home/identity.ts';
import { findHome, prepareHome } from '../../src/home/paths.ts';
import type { Home } from '../../src/home/paths.ts';
import { formatPeers } from '../../src/home/peers-format.ts';
import type { Peer } from '../../src/home/peers-format.ts';
import { formatRepos } from '../../src/home/repos-format.ts';
import type { SharedRepo } from '../../src/home/repos-format.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { parsePetname } from '../../src/lib/names.ts';
import { Device } from '../helpers/device.ts';
import type { XmppServer } from '../helpers/xmpp-server.ts';

/** Of every account of a measurement. */
export const PASSWORD = 'wherefore-art-thou';

/** A device that is signed in to nothing yet, and knows nobody. */
export interface Machine {
  readonly device: Device;
  readonly home: Home;
  readonly identity: Identity;
  readonly account: string;
}

/** All goes through `server`, in-band, so that what the server bears is measured. */
export async function makeMachine(name: string, { account, server }: { readonly account: string; readonly server: Pick<XmppServer, 'domain' | 'host' | 'port' | 'caFile'> }): Promise<Machine> {
  const device = await new Device(name).prepare();
  const home = findHome(device.env);
  await prepareHome(home);
  const identity = await loadIdentity(home, { name });
  const { domain, host, port, caFile } = server;
  const config = `[account]\n\tserver = ${host}:${port}\n\tdirectTls = false\n\tcaFile = ${caFile}\n\tjid = ${account}@${domain}\n[xmpp]\n\tdirect = false\n`;
  await writePrivate(home.config, config);
  await writePrivate(home.credentials, `xmpp://${account}:${PASSWORD}@${domain}\n`);
  return { device, home, identity, account: `${account}@${domain}` };
}

/** Makes each of `others` a peer of `machine`, as pairing on both sides would have. */
export async function pairWith(machine: Machine, others: readonly Machine[]): Promise<void> {
  const peers = others.map((other): Peer => {
    const { device, spki, ageRecipient, name, resource } = other.identity;
    const jid = parseBareJid(other.account);
    const kind = other.account === machine.account ? 'own' : 'other';
    const address = parseFullJid(`${jid}/${resource}`);
    return { device, petname: parsePetname(name), kind, jid, address, spki, recipient: ageRecipient, name, pairedAt: Date.now() };
  });
  await writePrivate(path.join(machine.home.dir, 'peers.json'), JSON.stringify(formatPeers(peers)));
}

/** What `machine` shares: with its own account alone. */
export async function shareOn(machine: Machine, repos: readonly SharedRepo[]): Promise<void> {
  await writePrivate(path.join(machine.home.dir, 'repos.json'), JSON.stringify(formatRepos(repos)));
}

/** Its folder, and all in it. Whatever ran on it has to have ended. */
export async function removeMachine({ device }: Machine): Promise<void> {
  await rm(device.dir, { recursive: true, force: true, maxRetries: 5 });
}

async function writePrivate(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
  await chmod(file, 0o600);
}
