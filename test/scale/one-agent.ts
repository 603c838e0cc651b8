// One agent with many repositories and many peers: a star, the agent in a process of its own, its peers several to a process. Rule: peers know the agent
// alone, so that what goes from one to another goes through it; each commit is waited for everywhere before the next.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SharedRepo } from '../../src/home/repos-format.ts';
import { ending, started } from '../bench/teardown.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import type { AgentSize } from './arguments.ts';
import { Arrivals } from './arrivals.ts';
import { percentile } from './figures-format.ts';
import type { Figures } from './figures-format.ts';
import { Hosts } from './hosts.ts';
import { makeMachine, pairWith, PASSWORD, removeMachine, shareOn } from './machines.ts';
import type { Machine } from './machines.ts';
import { commitIn, makeCopies } from './shared-repos.ts';
import type { Copies } from './shared-repos.ts';
import { childrenOf, cpuOfMachine, cpuWithChildren, descriptorsOf, memoryOf } from './usage.ts';

const ACCOUNT = 'romeo';
const START_MS = 300_000;
const ARRIVAL_MS = 60_000;
/** Once all are in contact, what that has begun is let end. */
const QUIET_MS = 5_000;
/** The agent's slow look at every repository comes once a minute. */
const IDLE_MS = 65_000;
const PER_PROCESS = 10;

interface Star {
  readonly server: Prosody;
  readonly hub: Machine;
  readonly peers: readonly Machine[];
  readonly repos: readonly Copies[];
  readonly hosts: Hosts;
}

export async function measureOneAgent(size: AgentSize, commits: number): Promise<Figures> {
  const [server, stopServer] = await started(startProsody({ accounts: { [ACCOUNT]: PASSWORD }, hasProxy: false, hasStanzaLog: true }), (each) => each.stop());
  const [hosts, removeHosts] = await started(Hosts.prepare(), (each) => each.remove());
  const machines: Machine[] = [];
  const removeMachines = ending(async () => {
    const [hub, ...peers] = machines;
    await hub?.device.remove();
    for (const machine of peers) await removeMachine(machine);
  });
  try {
    for (const name of ['hub', ...Array.from({ length: size.peers }, (_each, index) => `peer-${index + 1}`)]) machines.push(await makeMachine(name, { account: ACCOUNT, server }));
    const [hub, ...peers] = machines;
    if (hub === undefined) throw new Error('there is no hub');
    const repos = await share(hub, peers, size.repos);
    return await measure({ server, hub, peers, repos, hosts }, size, commits);
  } finally {
    await removeHosts();
    await removeMachines();
    await stopServer();
  }
}

async function share(hub: Machine, peers: readonly Machine[], count: number): Promise<readonly Copies[]> {
  await pairWith(hub, peers);
  for (const peer of peers) await pairWith(peer, [hub]);
  const repos: Copies[] = [];
  for (let index = 1; index <= count; index += 1) repos.push(await makeCopies(`repo-${index}`, [hub, ...peers], (machine) => (machine === hub ? peers : [hub])));
  const sharedBy = (machine: Machine): SharedRepo[] => repos.flatMap(({ clones }) => clones.filter((clone) => clone.machine === machine).map(({ shared }) => shared));
  for (const machine of [hub, ...peers]) await shareOn(machine, sharedBy(machine));
  return repos;
}

async function measure(star: Star, size: AgentSize, commits: number): Promise<Figures> {
  const { server, hub, peers, repos, hosts } = star;
  await hosts.start(peers, PER_PROCESS);
  await hosts.online(peers.length, 0, START_MS);
  const begin = performance.now();
  await hub.device.status().catch(() => hub.device.xmpp('daemon', 'start'));
  await hub.device.statusWhen(({ account }) => account.state === 'online', START_MS);
  const start = performance.now() - begin;
  await hub.device.statusWhen((status) => status.peers.every(({ isOnline }) => isOnline), START_MS);
  await quiet(server);
  const met = performance.now() - begin;
  const pid = hub.device.agentPid();
  const afterStart = { cpu: cpuWithChildren(pid), stanzas: countLines(server) };
  const first = await timeCommits(star, commits);
  const busy = { cpu: cpuWithChildren(pid), ...descriptorsOf(pid), children: childrenOf(pid).length, stanzas: countLines(server) };
  const idle = { cpu: cpuWithChildren(pid), stanzas: countLines(server), machine: cpuOfMachine() };
  await pause(IDLE_MS);
  const memory = memoryOf(pid);
  const share = (100 * (cpuWithChildren(pid) - idle.cpu)) / (IDLE_MS / 1000);
  return {
    repos: size.repos,
    peers: size.peers,
    'p50 ms': percentile(first.all, 0.5),
    'p95 ms': percentile(first.all, 0.95),
    'last peer p50 ms': percentile(first.last, 0.5),
    missing: first.missing,
    'stanzas a commit': (busy.stanzas - afterStart.stanzas) / commits,
    'CPU a commit ms': (1000 * (busy.cpu - afterStart.cpu)) / commits,
    'RSS MiB': memory.now,
    'peak MiB': memory.peak,
    'idle % of a core': share,
    'online s': start / 1000,
    'in sync s': met / 1000,
    'start CPU s': afterStart.cpu,
    'start stanzas': afterStart.stanzas,
    watches: busy.watches,
    descriptors: busy.descriptors,
    children: busy.children,
    repositories: repos.length,
  };
}

/** Commits in turn on the agent and on its peers, each of another repository. */
async function timeCommits({ hub, peers, repos }: Star, commits: number): Promise<{ readonly all: number[]; readonly last: number[]; readonly missing: number }> {
  const arrivals = new Arrivals();
  const found = { all: [] as number[], last: [] as number[], missing: 0 };
  try {
    for (let index = 0; index < commits; index += 1) {
      const copies = repos[(index * 7) % repos.length];
      const machine = index % 2 === 0 ? hub : peers[(index >> 1) % peers.length];
      const from = copies?.clones.find((clone) => clone.machine === machine);
      if (copies === undefined || from === undefined) throw new Error('there is no such clone');
      await commitIn(from, `commit ${index}`);
      const at = performance.now();
      const oid = arrivals.tipOf(from);
      const came = await Promise.all(copies.clones.filter((clone) => clone !== from).map((clone) => arrivals.at(clone, oid, ARRIVAL_MS)));
      const there = came.flatMap((each) => (each === undefined ? [] : [each - at]));
      found.all.push(...there);
      found.last.push(Math.max(...there));
      found.missing += came.length - there.length;
    }
    return found;
  } finally {
    arrivals.close();
  }
}

/** Until nothing is said through the server any more for a while. */
async function quiet(server: Prosody): Promise<void> {
  for (let [before, now] = [-1, countLines(server)]; now > before + 5; [before, now] = [now, countLines(server)]) await pause(QUIET_MS);
}

function countLines(server: Prosody): number {
  return readFileSync(path.join(server.dir, 'stanzas.log')).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
