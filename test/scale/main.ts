// `npm run scale`: what grows with repositories, peers and agents, measured for real (docs/PERFORMANCE.md). Rule: exit code 0 when every commit arrived,
// 1 when not or when a step failed, 2 for wrong use; the last lines are the figures.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endAll } from '../bench/teardown.ts';
import { parseArguments } from './arguments.ts';
import type { Asked, StepName } from './arguments.ts';
import { drawPlot, formatTable } from './figures-format.ts';
import type { Figures } from './figures-format.ts';
import { measureOneAgent } from './one-agent.ts';
import { measureCluster, measureProsody } from './one-server.ts';
import { plotsOf, summarise } from './summary-format.ts';

let asked: Asked;
try {
  asked = parseArguments(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
const interrupted = (): void => void endAll().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
const found = new Map<StepName, Figures[]>();
const failed: string[] = [];
try {
  for (const step of asked.steps) for (const measure of measuresOf(step, asked)) await take(step, measure);
} finally {
  await endAll();
}
for (const { file, plot } of plotsOf(found)) {
  if (asked.plots === undefined) continue;
  mkdirSync(asked.plots, { recursive: true });
  writeFileSync(path.join(asked.plots, file), drawPlot(plot));
}
for (const rows of found.values()) for (const line of ['', ...formatTable(rows)]) console.log(line);
console.log('');
for (const line of [...failed, ...summarise(found)]) console.log(line);
const missing = [...found.values()].flat().reduce((sum, row) => sum + Number(row['missing']), 0);
process.exit(failed.length === 0 && missing === 0 ? 0 : 1);

function measuresOf(step: StepName, { sizes, agents, group, seconds, every, commits }: Asked): (() => Promise<Figures>)[] {
  if (step === 'agent') return sizes.map((size) => () => measureOneAgent(size, commits));
  const measure = step === 'server' ? measureProsody : measureCluster;
  return agents.map((count) => () => measure({ agents: count, size: group }, { seconds, every }));
}

/** One size; one that fails keeps no other from being measured. */
async function take(step: StepName, measure: () => Promise<Figures>): Promise<void> {
  const start = performance.now();
  try {
    const row = await measure();
    found.set(step, [...(found.get(step) ?? []), row]);
    for (const line of formatTable([row])) console.error(line);
  } catch (error) {
    failed.push(`FAILED  ${step}: ${error instanceof Error ? error.message : String(error)}`);
    console.error(failed.at(-1));
  }
  console.error(`${step}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
