// One agent with many repositories and many peers: a star, the agent in a process of its own, its peers several to a process. Rule: peers know the agent
// alone, so that what goes from one to another goes through it; each commit is waited for everywhere before the next.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SharedRepo } from '../../src/home/repos-format.ts';
import { Turns } from '../../src/lib/turns.ts';
import { ending, started } from '../bench/teardown.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import type { AgentSize } from './arguments.ts';
import { Arrivals } from './arrivals.ts';
import { percentile, ratio } from './figures-format.ts';
import type { Figures } from './figures-format.ts';
import { Hosts } from './hosts.ts';
import { makeMachine, pairWith, PASSWORD, removeMachine, shareOn } from './machines.ts';
import type { Machine } from './machines.ts';
import { commitIn, makeCopies } from './shared-repos.ts';
import type { Copies } from './shared-repos.ts';
import { childrenOf, cpuWithChildren, descriptorsOf, memoryOf } from './usage.ts';

const ACCOUNT = 'romeo';
const START_MS = 300_000;
const ARRIVAL_MS = 300_000;
/** Once all are in contact, what that has begun is let end. */
const QUIET_MS = 4_000;
/** Answers to the server, say, and a keep-alive. */
const FEW = 12;
/** The agent's slow look at every repository comes once a minute. */
const IDLE_MS = 65_000;
const PER_PROCESS = 10;
/** Repositories that are made side by side. */
const AT_ONCE = 6;

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
  const turns = new Turns(AT_ONCE);
  const make = (name: string): Promise<Copies> => turns.run(() => makeCopies(name, [hub, ...peers], (machine) => (machine === hub ? peers : [hub])));
  const repos = await Promise.all(Array.from({ length: count }, (_each, index) => make(`repo-${index + 1}`)));
  const sharedBy = (machine: Machine): SharedRepo[] => repos.flatMap(({ clones }) => clones.filter((clone) => clone.machine === machine).map(({ shared }) => shared));
  for (const machine of [hub, ...peers]) await shareOn(machine, sharedBy(machine));
  return repos;
}

async function measure(star: Star, size: AgentSize, commits: number): Promise<Figures> {
  const { server, hub, peers, hosts } = star;
  await hosts.start(peers, PER_PROCESS);
  await hosts.online(peers.length, 0, START_MS);
  const first = await startHub(star);
  await hub.device.stop();
  await quiet(server);
  const again = await startHub(star);
  const pid = hub.device.agentPid();
  const before = { cpu: cpuWithChildren(pid), stanzas: countLines(server) };
  const timed = await timeCommits(star, commits);
  const busy = { cpu: cpuWithChildren(pid), ...descriptorsOf(pid), children: childrenOf(pid).length, stanzas: countLines(server) };
  await quiet(server);
  const idle = cpuWithChildren(pid);
  await pause(IDLE_MS);
  const memory = memoryOf(pid);
  return {
    repos: size.repos,
    peers: size.peers,
    'p50 ms': percentile(timed.all, 0.5),
    'p95 ms': percentile(timed.all, 0.95),
    'last peer p50 ms': percentile(timed.last, 0.5),
    'of git commit': ratio(percentile(timed.all, 0.5), percentile(timed.own, 0.5)),
    missing: timed.missing,
    'stanzas a commit': (busy.stanzas - before.stanzas) / commits,
    'agent CPU ms a commit': (1000 * (busy.cpu - before.cpu)) / commits,
    'RSS MiB': memory.now,
    'peak MiB': memory.peak,
    'idle % of a core': (100 * (cpuWithChildren(pid) - idle)) / (IDLE_MS / 1000),
    'first meeting s': first.seconds,
    '… CPU s': first.cpu,
    '… stanzas': first.stanzas,
    'start again s': again.seconds,
    '… CPU s again': again.cpu,
    '… stanzas again': again.stanzas,
    watches: busy.watches,
    descriptors: busy.descriptors,
    children: busy.children,
  };
}

/** Until the agent is in contact with all its peers, and has nothing more to tell them. */
async function startHub({ server, hub }: Star): Promise<{ readonly seconds: number; readonly cpu: number; readonly stanzas: number }> {
  const before = countLines(server);
  const begin = performance.now();
  await hub.device.xmpp('daemon', 'start');
  await hub.device.statusWhen(({ account, peers }) => account.state === 'online' && peers.every(({ isOnline }) => isOnline), START_MS);
  const quietSince = await quiet(server);
  return { seconds: (quietSince - begin) / 1000, cpu: cpuWithChildren(hub.device.agentPid()), stanzas: countLines(server) - before };
}

/** Commits in turn on the agent and on its peers, each of another repository. */
async function timeCommits({ hub, peers, repos }: Star, commits: number): Promise<{ readonly all: number[]; readonly last: number[]; readonly own: number[]; readonly missing: number }> {
  const arrivals = new Arrivals();
  const found = { all: [] as number[], last: [] as number[], own: [] as number[], missing: 0 };
  try {
    for (let index = 0; index < commits; index += 1) {
      const copies = repos[(index * 7) % repos.length];
      const machine = index % 2 === 0 ? hub : peers[(index >> 1) % peers.length];
      const from = copies?.clones.find((clone) => clone.machine === machine);
      if (copies === undefined || from === undefined) throw new Error('there is no such clone');
      found.own.push(await commitIn(from, `commit ${index}`));
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

/** Until hardly anything is said through the server any more. @returns when that began */
async function quiet(server: Prosody): Promise<number> {
  const until = performance.now() + START_MS;
  for (;;) {
    const [before, at] = [countLines(server), performance.now()];
    await pause(QUIET_MS);
    if (countLines(server) - before < FEW) return at;
    if (at > until) throw new Error(`the devices still talk after ${START_MS / 1000} s`);
  }
}

function countLines(server: Prosody): number {
  return readFileSync(path.join(server.dir, 'stanzas.log')).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
