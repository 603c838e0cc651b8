// One server with more and more agents: Prosody on one process, and ejabberd on two nodes. Rule: the same machines and the same commits at both; what is
// measured is one server at a time.

import { ending, started } from '../bench/teardown.ts';
import { startCluster } from '../helpers/ejabberd-cluster.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Figures } from './figures-format.ts';
import { Hosts } from './hosts.ts';
import { accountOf, bear, makeGroups } from './load.ts';
import type { Load, Serving } from './load.ts';
import { PASSWORD, removeMachine } from './machines.ts';
import type { Machine } from './machines.ts';

const PER_PROCESS = 25;
const ONLINE_MS = 900_000;
/** What signing in and meeting has begun is let end. */
const SETTLE_MS = 10_000;

export interface Size {
  readonly agents: number;
  /** Agents that share a repository. */
  readonly size: number;
}

export async function measureProsody(size: Size, load: Load): Promise<Figures> {
  const [server, stop] = await started(startProsody({ accounts: accountsFor(size), hasProxy: false }), (each) => each.stop());
  try {
    return { server: 'Prosody', ...(await measure({ nodes: [server], pids: [server.pid] }, size, load)) };
  } finally {
    await stop();
  }
}

export async function measureCluster(size: Size, load: Load): Promise<Figures> {
  const [cluster, stop] = await started(startCluster({ accounts: accountsFor(size) }), (each) => each.stop());
  try {
    return { server: '2 × ejabberd', ...(await measure({ nodes: cluster.nodes, pids: cluster.nodes.map(({ pid }) => pid) }, size, load)) };
  } finally {
    await stop();
  }
}

async function measure(serving: Serving, size: Size, load: Load): Promise<Figures> {
  const [hosts, removeHosts] = await started(Hosts.prepare(), (each) => each.remove());
  const machines: Machine[] = [];
  const removeMachines = ending(async () => {
    for (const machine of machines) await removeMachine(machine);
  });
  try {
    const groups = await makeGroups(serving, size, (machine) => machines.push(machine));
    await hosts.start(machines, PER_PROCESS);
    await hosts.online(machines.length, machines.length * (size.size - 1), ONLINE_MS);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return await bear(groups, { serving, hosts, load });
  } finally {
    await removeHosts();
    await removeMachines();
  }
}

function accountsFor({ agents, size }: Size): Record<string, string> {
  return Object.fromEntries(Array.from({ length: Math.ceil(agents / size) }, (_each, group) => [accountOf(group), PASSWORD]));
}
