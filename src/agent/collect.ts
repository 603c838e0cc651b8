// Gathers the whole status (docs/git-xmpp.1). Rule: it only asks; what cannot be told of one repository does not hide the others.

import { asFault, formatFault } from '../lib/errors.ts';
import { isGranted } from '../lib/names.ts';
import type { Peer } from '../home/peers.ts';
import { grantOf } from '../home/repos.ts';
import type { SharedRepo } from '../home/repos.ts';
import type { AgentParts } from './parts.ts';
import type { StatusAnswer } from './answers.ts';
import { hubStatuses } from './hub-status.ts';
import { peerStatus, policiesStatus, repoPeerStatus } from './status.ts';
import type { RepoPeerStatus } from './status.ts';

type RepoAnswer = StatusAnswer['repos'][number];

export async function collectStatus(parts: AgentParts): Promise<StatusAnswer> {
  const { peering, account, peers, repos, troubles, pauses } = parts;
  return {
    account: account.answer(),
    ...(pauses.all === undefined ? {} : { pause: pauses.all }),
    peers: peers.list().map((peer) => {
      const { device, petname } = peer;
      return peerStatus(peer, { isOnline: peering.contacts.isOnline(device), links: peering.linkStats(device), error: troubles.of(petname) });
    }),
    repos: await Promise.all(repos.list().map((shared) => collectRepo(parts, shared))),
    refused: peering.refused,
    notes: [...peering.devices.notes, ...peering.twins.notes, ...unwatchedNotes(parts)],
  };
}

/** What changes there is noticed late, and a limit of the system's is what stands in the way. */
function unwatchedNotes({ peering, repos }: AgentParts): string[] {
  return repos.list().flatMap(({ name, id }) => {
    const words = peering.repoSet.unwatched(id);
    return words === undefined ? [] : [`${name}: ${words}; what changes there is found within a minute`];
  });
}

async function collectRepo({ peering, peers, troubles, pauses }: AgentParts, shared: SharedRepo): Promise<RepoAnswer> {
  const { name, id, path } = shared;
  const audience = peers.list().filter((peer) => isGranted(grantOf(shared, peer), 'read'));
  const pause = pauses.of(id);
  if (pause !== undefined) {
    const states = audience.map(({ petname, device }) => ({ peer: petname, device, isOnline: peering.contacts.isOnline(device), isShared: true, state: pause.words, ahead: 0, behind: 0, moving: [], branches: [], waiting: [] }));
    return { name, id, path, pause, peers: states };
  }
  const loop = peering.repoSet.byId(id);
  if (loop === undefined) {
    const fault = peering.repoSet.problem(id);
    return { name, id, path, peers: [], ...(fault === undefined ? {} : { problem: formatFault(fault) }) };
  }
  try {
    const me = peering.identity.device;
    const stateOf = async (peer: Peer): Promise<RepoPeerStatus> => {
      const { device, petname } = peer;
      const [carrier] = peering.linkStats(device);
      const status = await repoPeerStatus(loop, { peer, me, isOnline: peering.contacts.isOnline(device), carrier, error: troubles.of(petname, name) });
      const progress = peering.slices.progress(id, peer.device);
      return progress === undefined ? status : { ...status, receiving: { received: progress.done, total: progress.total } };
    };
    const { problem } = loop;
    // All are awaited at once: one that fails while another is waited for has nobody to tell.
    const [states, autoCommit, policies] = await Promise.all([Promise.all(audience.map(stateOf)), loop.autoCommit.status(), loop.policies.read()]);
    return {
      name,
      id,
      path,
      peers: states,
      policies: policiesStatus(policies),
      hubs: await hubStatuses(loop),
      ...(autoCommit === undefined ? {} : { autoCommit }),
      ...(problem === undefined ? {} : { problem: formatFault(problem) }),
    };
  } catch (error) {
    return { name, id, path, peers: [], problem: formatFault(asFault(error, `looking at ${path}`)) };
  }
}
