// The remotes of one repository as remotedaemon names them: paired devices and hubs, out of the repository's own configuration (docs/API.md, "remotedaemon").
// Rule: it asks nobody; what else stands in the configuration is no remote of ours.

import { openRepository, readGitConfig } from '../git/repository.ts';
import { pathOfUrl } from '../git/hub-url.ts';
import { isGranted } from '../lib/names.ts';
import type { SharedRepo } from '../home/repos.ts';
import { grantOf } from '../home/repos.ts';
import { formatUri, sshUrlOf } from '../control/remotedaemon-format.ts';
import type { RemoteState } from '../control/remotedaemon-machine.ts';
import { readHubSettings } from './hubs-format.ts';
import type { AgentParts } from './parts.ts';

type Parts = Pick<AgentParts, 'peers' | 'peering' | 'pauses' | 'exchanges' | 'runGit'>;

/** A remote, and what it is called in events: a peer's petname, or a hub's own name. */
export interface DaemonRemote extends RemoteState {
  readonly peer: string;
}

/** @throws Fault where the repository cannot be read */
export async function daemonRemotes(parts: Parts, shared: SharedRepo): Promise<DaemonRemote[]> {
  const { peers, peering, pauses, exchanges, runGit } = parts;
  const loop = peering.repoSet.byId(shared.id);
  const repository = loop?.context.repository ?? (await openRepository(runGit, shared.path));
  const config = await readGitConfig(runGit, repository);
  const moving = exchanges.remotes(shared.id);
  const isRunning = pauses.of(shared.id) === undefined;
  const hubs = new Set(readHubSettings(config).hubs.map(({ remote }) => remote));
  const found: DaemonRemote[] = [];
  for (const [key, [url = '']] of config) {
    const name = /^remote\.(.+)\.url$/s.exec(key)?.[1];
    if (name === undefined) continue;
    const petname = /^xmpp::([^/]+)\//.exec(url)?.[1];
    const peer = petname === undefined ? undefined : peers.list().find((each) => each.petname === petname);
    if (peer !== undefined && isGranted(grantOf(shared, peer), 'read')) {
      const isConnected = isRunning && peering.contacts.isOnline(peer.device);
      found.push({ name, uri: formatUri(url), peer: peer.petname, isConnected, isSyncing: moving.includes(peer.petname) });
    } else if (hubs.has(name)) {
      const machine = loop?.hubs.all.find(({ remote }) => remote === name)?.machine;
      const isConnected = isRunning && machine !== undefined && machine.isKnown && machine.isThere && machine.trouble === undefined;
      found.push({ name, uri: hubUri(url, repository.path), peer: name, isConnected, isSyncing: moving.includes(name) });
    }
  }
  return found;
}

function hubUri(url: string, base: string): string {
  const path = pathOfUrl(url, base);
  return formatUri(path === undefined ? sshUrlOf(url) : `file://${path}`);
}
