// What a measurement comes to in a few lines, and its plots. Rule: pure; every figure stands in a row of the tables.

import type { StepName } from './arguments.ts';
import { formatNumber } from './figures-format.ts';
import type { Figures, Plot } from './figures-format.ts';

type Found = ReadonlyMap<StepName, readonly Figures[]>;

/** One line for the largest size of each step. */
export function summarise(found: Found): string[] {
  return [...found].flatMap(([step, rows]) => {
    const row = rows.at(-1);
    if (row === undefined) return [];
    const said = (name: string): string => formatNumber(row[name]);
    const times = `commit to work tree p50 ${said('p50 ms')} ms, p95 ${said('p95 ms')} ms, ${said('missing')} missing`;
    if (step === 'agent') return [`one agent, ${said('repos')} repositories, ${said('peers')} peers: ${times}; ${said('RSS MiB')} MiB, idle ${said('idle % of a core')} % of a core`];
    const cost = `server ${said('server CPU ms a commit')} ms of CPU a commit, ${said('server RSS MiB')} MiB; an agent ${said('RSS MiB an agent')} MiB`;
    return [`${said('server')}, ${said('agents')} agents, ${said('commits/s')} commits a second: ${times}; ${cost}`];
  });
}

/** The plots of docs/PERFORMANCE.md, of the steps that were measured. */
export function plotsOf(found: Found): { readonly file: string; readonly plot: Plot }[] {
  const agent = found.get('agent') ?? [];
  const servers = (['server', 'cluster'] as const).flatMap((step) => (found.has(step) ? [{ name: step === 'server' ? 'Prosody' : 'ejabberd, 2 nodes', rows: found.get(step) ?? [] }] : []));
  const ofAgent = (title: string, up: string, what: string): Plot => ({
    title,
    across: 'repositories',
    up,
    lines: byPeers(agent).map(({ peers, rows }) => ({ name: peers === 1 ? '1 peer' : `${peers} peers`, points: pointsOf(rows, 'repos', what) })),
  });
  const agentPlots = [
    { file: 'scale-agent-memory.svg', plot: ofAgent('Memory of one agent', 'MiB', 'RSS MiB') },
    { file: 'scale-agent-latency.svg', plot: ofAgent('Commit to work tree, p50', 'ms', 'p50 ms') },
  ];
  const latency: Plot = {
    title: 'Commit to work tree, p50',
    across: 'agents at one server',
    up: 'ms',
    lines: servers.map(({ name, rows }) => ({ name, points: pointsOf(rows, 'agents', 'p50 ms') })),
  };
  const bytes: Plot = {
    title: 'Memory as agents grow, several to a process',
    across: 'agents at one server',
    up: 'MiB',
    lines: servers.flatMap(({ name, rows }) => [
      { name, points: pointsOf(rows, 'agents', 'server RSS MiB') },
      { name: 'one agent of it', points: pointsOf(rows, 'agents', 'RSS MiB an agent') },
    ]),
  };
  const cores: Plot = {
    title: 'Processor time, in cores',
    across: 'agents at one server',
    up: 'cores',
    lines: servers.flatMap(({ name, rows }) => [
      { name, points: pointsOf(rows, 'agents', 'server cores') },
      { name: 'agents of it', points: pointsOf(rows, 'agents', 'agents cores') },
    ]),
  };
  return [
    ...(agent.length === 0 ? [] : agentPlots),
    ...(servers.length === 0 ? [] : [{ file: 'scale-server-latency.svg', plot: latency }, { file: 'scale-server-memory.svg', plot: bytes }, { file: 'scale-server-cores.svg', plot: cores }]),
  ];
}

function byPeers(rows: readonly Figures[]): { readonly peers: number; readonly rows: readonly Figures[] }[] {
  const counts = [...new Set(rows.map((row) => Number(row['peers'])))].sort((one, other) => one - other);
  return counts.map((peers) => ({ peers, rows: rows.filter((row) => row['peers'] === peers) }));
}

function pointsOf(rows: readonly Figures[], x: string, y: string): (readonly [number, number])[] {
  const points = rows.flatMap((row) => (typeof row[x] === 'number' && typeof row[y] === 'number' ? [[row[x], row[y]] as const] : []));
  return points.sort(([one], [other]) => one - other);
}
