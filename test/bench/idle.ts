// What an agent with one peer and one repository costs while nothing happens. Rule: counted by the kernel and by the server.

import { agentPid, cpuOf, rssOf } from './place.ts';
import type { Row, Setting } from './setting.ts';

/** Until what the last row caused is over. */
const SETTLE_MS = 3000;

export async function benchIdle({ server, a, b }: Setting, seconds: number): Promise<Row[]> {
  await pause(SETTLE_MS);
  const pids = [agentPid(a), agentPid(b)];
  const [cpu, stanzas] = [pids.map(cpuOf), countLines(server.stanzaLog())];
  await pause(seconds * 1000);
  const shares = pids.map((pid, index) => ((cpuOf(pid) - (cpu[index] ?? 0)) / seconds) * 100);
  const perMinute = ((countLines(server.stanzaLog()) - stanzas) / seconds) * 60;
  const memory = pids.flatMap(rssOf);
  return [
    [`idle for ${seconds} s, memory of an agent`, `${Math.min(...memory).toFixed(0)} MiB`, `${Math.max(...memory).toFixed(0)} MiB`, '', '', ''],
    [`idle for ${seconds} s, processor time of an agent`, `${Math.min(...shares).toFixed(2)} %`, `${Math.max(...shares).toFixed(2)} %`, '', '', ''],
    [`idle for ${seconds} s, stanzas a minute of both agents`, perMinute.toFixed(1), '', '', '', ''],
  ];
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
