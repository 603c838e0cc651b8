// `npm run soak`: breaks the path for minutes, or with `--kills` kills agents, and tells what came of it.
// Rule: a line for each fault, a summary, and an exit code: 0 when everything ended right, 1 when not, 2 for wrong use.

import { parseArgs } from 'node:util';
import { runKills } from './kills.ts';
import type { KillResult } from './kills.ts';
import { CARRIERS } from './setting.ts';
import type { CarrierChoice } from './setting.ts';
import { runSoak } from './tunnel.ts';
import type { SoakResult } from './tunnel.ts';

const MEGABYTE = 2 ** 20;
const USAGE = 'usage: npm run soak -- [--seconds 600] [--seed N] [--carrier in-band|socks5|direct|any]\n       npm run soak -- --kills 100 [--seed N]';

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly carrier: CarrierChoice;
  /** 0: the path is broken instead. */
  readonly kills: number;
}

function readOptions(): Options | undefined {
  const options = {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    carrier: { type: 'string', default: 'any' },
    kills: { type: 'string', default: '0' },
  } as const;
  const { values } = parseArgs({ args: process.argv.slice(2), options });
  const [seconds, seed, kills] = [Number(values.seconds), Number(values.seed), Number(values.kills)];
  const carrier = CARRIERS.find((each) => each === values.carrier);
  const isRight = carrier !== undefined && [seconds, seed, kills].every(Number.isInteger) && seconds >= 10 && kills >= 0;
  return isRight ? { seconds, seed, carrier, kills } : undefined;
}

function formatSummary({ faults, resumed, commits, commands, refused, payload, carried, traffic, peak }: SoakResult): string[] {
  const megabytes = (bytes: number): string => `${(bytes / MEGABYTE).toFixed(1)} MB`;
  return [
    `${faults} faults and 2 restarts; pipes went on over another carrier ${resumed} times`,
    `${commits} commits carried by the agents, ${commands} commands of plain git, refused for want of a way ${refused} times`,
    `${megabytes(payload)} to carry, ${megabytes(traffic.once)} sent through pipes, ${megabytes(traffic.again)} of them again, ${megabytes(carried)} through the proxies`,
    `largest agent ${megabytes(peak)}`,
  ];
}

function formatKills({ kills, processes, undone, commits, healedMs }: KillResult): string[] {
  return [
    `${kills} kills, ${processes} git processes with them`,
    `${undone} moves undone, for a file had been changed since`,
    `${commits} commits in the tip that all have`,
    `one commit everywhere after ${healedMs.median.toFixed(0)} ms, at most ${healedMs.longest.toFixed(0)} ms`,
  ];
}

async function run(options: Options): Promise<readonly string[]> {
  const say = (line: string): void => console.log(line);
  if (options.kills > 0) {
    const result = await runKills({ ...options, say });
    for (const line of formatKills(result)) say(line);
    return result.wrong;
  }
  const result = await runSoak({ ...options, say });
  for (const line of formatSummary(result)) say(line);
  return result.wrong;
}

const options = readOptions();
if (options === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const { seconds, seed, carrier, kills } = options;
  console.log(kills > 0 ? `${kills} kills, seed ${seed}` : `soak of ${seconds} s, seed ${seed}, carrier ${carrier}`);
  const wrong = await run(options);
  for (const line of wrong) console.log(`WRONG: ${line}`);
  console.log(wrong.length === 0 ? 'everything ended right' : `${wrong.length} things went wrong`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
