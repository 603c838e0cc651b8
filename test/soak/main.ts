// `npm run soak -- [--seconds 600] [--seed N] [--carrier in-band|socks5|direct|any]`: breaks the path for minutes, and tells what came of it.
// Rule: a line for each fault, a summary, and an exit code: 0 when everything ended right, 1 when not, 2 for wrong use.

import { parseArgs } from 'node:util';
import { CARRIERS } from './setting.ts';
import type { CarrierChoice } from './setting.ts';
import { runSoak } from './tunnel.ts';
import type { SoakResult } from './tunnel.ts';

const MEGABYTE = 2 ** 20;

function readOptions(): { readonly seconds: number; readonly seed: number; readonly carrier: CarrierChoice } | undefined {
  const options = { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' }, carrier: { type: 'string', default: 'any' } } as const;
  const { values } = parseArgs({ args: process.argv.slice(2), options });
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  const carrier = CARRIERS.find((each) => each === values.carrier);
  const isRight = carrier !== undefined && Number.isInteger(seconds) && seconds >= 10 && Number.isInteger(seed);
  return isRight ? { seconds, seed, carrier } : undefined;
}

function formatSummary({ faults, resumed, commits, commands, refused, payload, carried, allowed, peak }: SoakResult): string[] {
  const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(1)} MB`;
  return [
    `${faults} faults and 2 restarts; pipes went on over another carrier ${resumed} times`,
    `${commits} commits carried by the agents, ${commands} commands of plain git, refused for want of a way ${refused} times`,
    `${megabytes(payload)} to carry, ${megabytes(carried)} through the proxies, ${megabytes(allowed)} allowed`,
    `largest agent ${megabytes(peak)}`,
  ];
}

const options = readOptions();
if (options === undefined) {
  console.error('usage: npm run soak -- [--seconds 600] [--seed N] [--carrier in-band|socks5|direct|any]');
  process.exitCode = 2;
} else {
  console.log(`soak of ${options.seconds} s, seed ${options.seed}, carrier ${options.carrier}`);
  const result = await runSoak({ ...options, say: (line) => console.log(line) });
  for (const line of formatSummary(result)) console.log(line);
  for (const line of result.wrong) console.log(`WRONG: ${line}`);
  console.log(result.wrong.length === 0 ? 'everything ended right' : `${result.wrong.length} things went wrong`);
  process.exitCode = result.wrong.length === 0 ? 0 : 1;
}
