// `npm run bench`: what the README claims, measured for real, each row beside a peer in the same run (README.md).
// Rule: prints medians and ratios; judges nothing, for the machine may be busy. A row that fails says why and stops no other.

import { parseArguments } from './arguments.ts';
import type { Asked, RowName } from './arguments.ts';
import { benchBurst } from './burst.ts';
import { benchCaps } from './caps.ts';
import { benchClone, reasonOf } from './clone.ts';
import { benchIdle } from './idle.ts';
import { benchLatency } from './latency.ts';
import { printRows } from './print.ts';
import { benchPush } from './push.ts';
import { benchRaw } from './raw.ts';
import { startPair } from './setting.ts';
import type { Row, Setting } from './setting.ts';
import { benchStart } from './start.ts';
import { endAll, started } from './teardown.ts';
import { benchWire } from './wire.ts';
import { benchFolder, benchWatch } from './work-tree.ts';

/** Rows that need a pair of devices with one repository in sync: all through the server, or as they find each other; `idle` comes last, when all is quiet. */
const IN_BAND: readonly RowName[] = ['latency', 'push', 'wire'];
const IN_PAIR: readonly RowName[] = ['latency-direct', 'push-direct', 'start', 'folder', 'watch50k', 'burst10k', 'idle'];

let asked: Asked;
try {
  asked = parseArguments(process.argv.slice(2));
} catch (error) {
  console.error(reasonOf(error));
  process.exit(2);
}
const interrupted = (): void => void endAll().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
try {
  const found = new Map<RowName, readonly Row[]>();
  await runPaired(IN_BAND, asked, found);
  await runPaired(IN_PAIR, asked, found);
  for (const name of asked.rows) if (![...IN_BAND, ...IN_PAIR].includes(name)) await run(name, found, () => runAlone(name, asked.count));
  printRows(asked.rows.flatMap((name) => found.get(name) ?? []), asked.isMarkdown);
} finally {
  await endAll();
}

async function runPaired(all: readonly RowName[], { rows, count }: Asked, found: Map<RowName, readonly Row[]>): Promise<void> {
  const names = all.filter((name) => rows.includes(name));
  if (names.length === 0) return;
  let setting: Setting;
  let stop: () => Promise<void>;
  try {
    [setting, stop] = await started(startPair({ isInBand: all === IN_BAND }), (each) => each.stop());
  } catch (error) {
    for (const name of names) found.set(name, [[name, 'failed', '', reasonOf(error), '', '']]);
    return;
  }
  for (const name of names) await run(name, found, () => runOne(name, setting, count));
  await stop();
}

function runOne(name: RowName, setting: Setting, count: number | undefined): Promise<Row[]> {
  if (name === 'latency') return benchLatency(setting, count ?? 40, 'in-band');
  if (name === 'latency-direct') return benchLatency(setting, count ?? 40, 'direct');
  if (name === 'push') return benchPush(setting, count ?? 20, 'in-band');
  if (name === 'push-direct') return benchPush(setting, count ?? 20, 'direct');
  if (name === 'wire') return benchWire(setting);
  if (name === 'folder') return benchFolder(setting, count ?? 40);
  if (name === 'watch50k') return benchWatch(setting);
  if (name === 'burst10k') return benchBurst(setting);
  return name === 'start' ? benchStart(setting) : benchIdle(setting, count ?? 60);
}

function runAlone(name: RowName, count: number | undefined): Promise<Row[]> {
  if (name === 'clone10') return benchClone({ megabytes: 10, rounds: count ?? 3, hasMemory: false });
  if (name === 'clone500') return benchClone({ megabytes: 500, rounds: count ?? 2, hasMemory: true });
  if (name === 'memory') return benchClone({ megabytes: 500, rounds: 1, hasMemory: true });
  return name === 'raw' ? benchRaw() : benchCaps();
}

async function run(name: RowName, found: Map<RowName, readonly Row[]>, measure: () => Promise<Row[]>): Promise<void> {
  const start = performance.now();
  found.set(name, await measure().catch((error: unknown): Row[] => [[name, 'failed', '', reasonOf(error), '', '']]));
  console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}
