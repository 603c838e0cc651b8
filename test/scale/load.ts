// Groups of agents that share a repository, all at one server, each committing now and then: what a server bears (docs/PERFORMANCE.md).
// Rule: in a group one commits after the other, for two at once would be two histories; a commit that is late makes the next one late, and is counted.

import { Turns } from '../../src/lib/turns.ts';
import type { XmppServer } from '../helpers/xmpp-server.ts';
import { Arrivals } from './arrivals.ts';
import { percentile, ratio } from './figures-format.ts';
import type { Figures } from './figures-format.ts';
import type { Hosts } from './hosts.ts';
import { makeMachine, pairWith, shareOn } from './machines.ts';
import type { Machine } from './machines.ts';
import { commitIn, makeCopies } from './shared-repos.ts';
import type { Copies } from './shared-repos.ts';
import { cpuOfMachine, cpuWithChildren, memoryOf } from './usage.ts';

const ARRIVAL_MS = 300_000;
/** Groups that are made side by side. */
const AT_ONCE = 6;

/** A server of one or more nodes, with the processes it consists of. */
export interface Serving {
  /** One for each node: agents are spread over them. */
  readonly nodes: readonly Pick<XmppServer, 'domain' | 'host' | 'port' | 'caFile'>[];
  readonly pids: readonly number[];
}

/** The account of a group, by number from 0. */
export function accountOf(group: number): string {
  return `user-${group}`;
}

/** Machines in groups of `size`, each group with an account and a repository of its own; the machines of a group sign in at different nodes. */
export async function makeGroups(serving: Serving, { agents, size }: { readonly agents: number; readonly size: number }, onMachine: (machine: Machine) => void): Promise<readonly Copies[]> {
  const turns = new Turns(AT_ONCE);
  const make = async (group: number): Promise<Copies> => {
    const machines: Machine[] = [];
    for (let index = 0; index < size; index += 1) {
      const node = serving.nodes[index % serving.nodes.length];
      if (node === undefined) throw new Error('there is no node');
      const machine = await makeMachine(`m-${group}-${index}`, { account: accountOf(group), server: node });
      onMachine(machine);
      machines.push(machine);
    }
    const othersOf = (machine: Machine): Machine[] => machines.filter((other) => other !== machine);
    for (const machine of machines) await pairWith(machine, othersOf(machine));
    const copies = await makeCopies(`repo-${group}`, machines, othersOf);
    for (const { machine, shared } of copies.clones) await shareOn(machine, [shared]);
    return copies;
  };
  return Promise.all(Array.from({ length: Math.ceil(agents / size) }, (_each, group) => turns.run(() => make(group))));
}

export interface Load {
  readonly seconds: number;
  /** One commit of each agent in so many seconds. */
  readonly every: number;
}

/** What it came to, and what it cost: by the server, by the agents with their git, by others on the machine. */
export async function bear(groups: readonly Copies[], { serving, hosts, load }: { readonly serving: Serving; readonly hosts: Hosts; readonly load: Load }): Promise<Figures> {
  const agents = groups.reduce((sum, { clones }) => sum + clones.length, 0);
  const arrivals = new Arrivals();
  const before = cpuNow(serving, hosts);
  const begin = performance.now();
  const taken = await Promise.all(groups.map((copies, index) => commitInTurn(copies, { arrivals, load, phase: index / groups.length, until: begin + load.seconds * 1000 }))).finally(() => arrivals.close());
  const seconds = (performance.now() - begin) / 1000;
  const after = cpuNow(serving, hosts);
  const used = { server: after.server - before.server, agents: after.agents - before.agents, own: after.own - before.own, machine: after.machine - before.machine };
  const all = taken.flatMap(({ took }) => took);
  const commits = taken.reduce((sum, each) => sum + each.commits, 0);
  const memory = hosts.pids.reduce((sum, pid) => sum + memoryOf(pid).now, 0);
  return {
    agents,
    'commits/s wanted': agents / load.every,
    'commits/s': commits / seconds,
    'p50 ms': percentile(all, 0.5),
    'p95 ms': percentile(all, 0.95),
    'of git commit': ratio(percentile(all, 0.5), percentile(taken.flatMap(({ own }) => own), 0.5)),
    missing: taken.reduce((sum, each) => sum + each.missing, 0),
    'RSS MiB an agent': memory / agents,
    'server RSS MiB': serving.pids.reduce((sum, pid) => sum + memoryOf(pid).now, 0),
    'server cores': used.server / seconds,
    'server CPU ms a commit': (1000 * used.server) / commits,
    'agents cores': used.agents / seconds,
    'agents CPU ms a commit': (1000 * used.agents) / commits,
    'others cores': Math.max(0, used.machine - used.server - used.agents - used.own) / seconds,
  };
}

interface Cpu {
  readonly server: number;
  readonly agents: number;
  /** This process and the commits it makes. */
  readonly own: number;
  readonly machine: number;
}

function cpuNow({ pids }: Serving, hosts: Hosts): Cpu {
  const sum = (all: readonly number[]): number => all.reduce((total, pid) => total + cpuWithChildren(pid), 0);
  return { server: sum(pids), agents: sum(hosts.pids), own: cpuWithChildren(process.pid), machine: cpuOfMachine() };
}

interface InTurn {
  readonly arrivals: Arrivals;
  readonly load: Load;
  /** From 0 up to 1: groups do not all commit at once. */
  readonly phase: number;
  readonly until: number;
}

interface Taken {
  readonly took: readonly number[];
  /** How long `git commit` itself took, on the machine as busy as it was. */
  readonly own: readonly number[];
  readonly commits: number;
  readonly missing: number;
}

async function commitInTurn({ clones }: Copies, { arrivals, load, phase, until }: InTurn): Promise<Taken> {
  const interval = (load.every * 1000) / clones.length;
  const found = { took: [] as number[], own: [] as number[], commits: 0, missing: 0 };
  let due = performance.now() + phase * interval;
  for (let index = 0; due < until; index += 1) {
    await pause(Math.max(0, due - performance.now()));
    const from = clones[index % clones.length];
    if (from === undefined || performance.now() > until) break;
    found.own.push(await commitIn(from, `commit ${index}`));
    const at = performance.now();
    const oid = arrivals.tipOf(from);
    const came = await Promise.all(clones.filter((clone) => clone !== from).map((clone) => arrivals.at(clone, oid, ARRIVAL_MS)));
    found.commits += 1;
    found.took.push(...came.flatMap((each) => (each === undefined ? [] : [each - at])));
    found.missing += came.filter((each) => each === undefined).length;
    due += interval;
  }
  return found;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
