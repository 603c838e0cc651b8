// `npm run simulate -- [--seeds 100] [--devices 40] [--seed 1] [--mixed]`: the real sync engine on many devices that do not exist.
// Rule: one summary line at the end; a failure names its seed and what differs; exit code 0 when all converged, 1 when not, 2 for wrong use.

import { parseArgs } from 'node:util';
import { formatSimulation, Summary } from './summary.ts';
import { simulate } from './simulate.ts';

/** A line each so many milliseconds shows that it goes on. */
const TELL_EVERY_MS = 5_000;

interface Options {
  readonly seeds: number;
  readonly devices: number;
  readonly seed: number;
  readonly isMixed: boolean;
}

function readOptions(): Options | undefined {
  const text = (standard: string) => ({ type: 'string', default: standard }) as const;
  const options = { seeds: text('100'), devices: text('40'), seed: text('1'), mixed: { type: 'boolean', default: false } } as const;
  try {
    const { values } = parseArgs({ args: process.argv.slice(2), options });
    const [seeds, devices, seed] = [Number(values.seeds), Number(values.devices), Number(values.seed)];
    const isRight = [seeds, devices, seed].every(Number.isSafeInteger) && seeds >= 1 && devices >= 2 && seed >= 0;
    return isRight ? { seeds, devices, seed, isMixed: values.mixed } : undefined;
  } catch {
    return undefined;
  }
}

function run({ seeds, devices, seed: first, isMixed }: Options): void {
  const summary = new Summary({ devices, isMixed });
  let told = process.hrtime.bigint();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const result = simulate({ seed, devices, isMixed });
    summary.add(result);
    const now = process.hrtime.bigint();
    const isDue = Number(now - told) / 1e6 >= TELL_EVERY_MS;
    if (isDue || seed === first) {
      console.log(formatSimulation(result));
      told = now;
    }
    for (const line of result.wrong) console.log(`WRONG: seed ${seed}: ${line}`);
  }
  console.log(summary.line);
  process.exitCode = summary.hasFailed ? 1 : 0;
}

const options = readOptions();
if (options === undefined) {
  console.error('usage: npm run simulate -- [--seeds 100] [--devices 40] [--seed 1] [--mixed]');
  process.exitCode = 2;
} else {
  run(options);
}
