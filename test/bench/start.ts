// How long each executable takes from its start to its end where there is next to nothing to do, beside Node alone.
// Rule: the sides take turns, so that both meet the same machine.

import type { Device } from '../helpers/device.ts';
import { ms, percentile } from './setting.ts';
import type { Row, Setting } from './setting.ts';

const ROUNDS = 9;

interface Program {
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string;
}

const PROGRAMS: readonly Program[] = [
  { what: 'git-xmpp help', command: 'git-xmpp', args: ['help'] },
  { what: 'git-xmpp status, the agent answers', command: 'git-xmpp', args: ['status'] },
  { what: 'git-remote-xmpp, capabilities alone', command: 'git-remote-xmpp', args: ['desktop', 'desktop/notes'], input: 'capabilities\n\n' },
  { what: "git-xmpp-shell, git's -G question", command: 'git-xmpp-shell', args: ['-G', 'desktop'] },
];

export async function benchStart({ a }: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const program of PROGRAMS) {
    const [ours, node]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await timeRun(a, program));
      node.push(await timeRun(a, { what: '', command: process.execPath, args: ['-e', ''] }));
    }
    rows.push(beside(program.what, ours, node));
  }
  const [agent, node]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    await a.stop();
    agent.push(await timeRun(a, { what: '', command: 'git-xmpp', args: ['daemon', 'start'] }));
    node.push(await timeRun(a, { what: '', command: process.execPath, args: ['-e', ''] }));
  }
  await a.statusWhen(({ account, peers }) => account.state === 'online' && peers.some(({ isOnline }) => isOnline));
  return [...rows, beside('agent.mjs, until it answers', agent, node)];
}

function beside(what: string, ours: readonly number[], node: readonly number[]): Row {
  const [mine, its] = [percentile(ours, 0.5), percentile(node, 0.5)];
  return [`start: ${what}`, ms(mine), ms(percentile(ours, 0.95)), "node -e ''", ms(its), (mine / its).toFixed(2)];
}

async function timeRun(device: Device, { command, args, input = '' }: Program): Promise<number> {
  const start = performance.now();
  const { code, stderr } = await device.run(command, args, { input });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
  return performance.now() - start;
}
