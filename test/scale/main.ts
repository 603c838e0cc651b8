// `npm run scale`: what grows with repositories, peers and agents, measured for real (docs/PERFORMANCE.md). Rule: exit code 0 when every commit arrived,
// 1 when not, 2 for wrong use; the last lines are the figures.

import { parseArguments } from './arguments.ts';
import type { Asked } from './arguments.ts';
import { endAll } from '../bench/teardown.ts';
import { formatTable } from './figures-format.ts';
import type { Figures } from './figures-format.ts';
import { measureOneAgent } from './one-agent.ts';

let asked: Asked;
try {
  asked = parseArguments(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
const interrupted = (): void => void endAll().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
const rows: Figures[] = [];
try {
  for (const size of asked.sizes) {
    rows.push(await measureOneAgent(size, asked.commits));
    for (const line of formatTable(rows)) console.log(line);
  }
} finally {
  await endAll();
}
