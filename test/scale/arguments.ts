// What `npm run scale` was asked for. Rule: steps run in the order of the list; a word or number that is none of ours is refused.

import { parseArgs } from 'node:util';

/** Every step by its word: one agent with many repositories and peers, one server with many agents, the same on two nodes of one server. */
export const STEPS = ['agent', 'server', 'cluster'] as const;
export type StepName = (typeof STEPS)[number];

export interface Asked {
  readonly steps: readonly StepName[];
  /** Sizes of the step `agent`: repositories × peers. */
  readonly sizes: readonly AgentSize[];
  /** Numbers of agents at one server. */
  readonly agents: readonly number[];
  /** How long agents commit at each size. */
  readonly seconds: number;
  /** One commit of each agent in so many seconds. */
  readonly every: number;
  /** Agents that share a repository, each paired with the others of its group. */
  readonly group: number;
  /** Commits that are timed at each size of the step `agent`. */
  readonly commits: number;
  /** Folder for the plots, as SVG. */
  readonly plots: string | undefined;
}

export interface AgentSize {
  readonly repos: number;
  readonly peers: number;
}

export const USAGE =
  'usage: npm run scale -- [agent|server|cluster]… [--sizes 1x1,10x5,100x20] [--agents 10,50,100,200] [--seconds 60] [--every 20] [--group 2] [--commits 20] [--plots folder]';

/** More agents than this are more than one machine should try. */
const MOST = 500;

/** @throws Error with the usage */
export function parseArguments(args: readonly string[]): Asked {
  const { values, positionals } = parse(args);
  const steps = STEPS.filter((step) => positionals.includes(step));
  if (steps.length < new Set(positionals).size) throw new Error(USAGE);
  return {
    steps: steps.length === 0 ? STEPS : steps,
    sizes: values.sizes.split(',').map(parseSize),
    agents: values.agents.split(',').map((text) => parseCount(text, MOST)),
    seconds: parseCount(values.seconds, 86_400),
    every: parseCount(values.every, 3600),
    group: parseCount(values.group, 20),
    commits: parseCount(values.commits, 10_000),
    plots: values.plots,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        sizes: { type: 'string', default: '1x1,10x1,100x1,1x5,1x20,10x5,30x10,100x20' },
        agents: { type: 'string', default: '10,50,100,200' },
        seconds: { type: 'string', default: '60' },
        every: { type: 'string', default: '20' },
        group: { type: 'string', default: '2' },
        commits: { type: 'string', default: '20' },
        plots: { type: 'string' },
      },
    });
  } catch {
    throw new Error(USAGE);
  }
}

function parseSize(text: string): AgentSize {
  const [, repos = '', peers = ''] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  return { repos: parseCount(repos, 1000), peers: parseCount(peers, 255) };
}

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!/^[1-9]\d*$/.test(text) || count > most) throw new Error(USAGE);
  return count;
}
