// `npm run soak`: breaks the path for minutes, or with `--kills` kills agents, or with `--storm` everything at once, and tells what came of it.
// Rule: a line for each fault, a summary, and an exit code: 0 when everything ended right, 1 when not, 2 for wrong use.

import { parseArgs } from 'node:util';
import { runKills } from './kills.ts';
import type { KillResult } from './kills.ts';
import { CARRIERS } from './setting.ts';
import type { CarrierChoice } from './setting.ts';
import { runStorm } from './storm.ts';
import type { StormResult } from './storm.ts';
import { runSoak } from './tunnel.ts';
import type { SoakResult } from './tunnel.ts';

const MEGABYTE = 2 ** 20;
const USAGE = 'usage: npm run soak -- [--seconds 600] [--seed N] [--carrier in-band|socks5|direct|any]\n       npm run soak -- --kills 100 [--seed N]\n       npm run soak -- --storm [--seconds 600] [--seed N]';

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly carrier: CarrierChoice;
  /** 0: the path is broken instead. */
  readonly kills: number;
  readonly isStorm: boolean;
}

function readOptions(): Options | undefined {
  const options = {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    carrier: { type: 'string', default: 'any' },
    kills: { type: 'string', default: '0' },
    storm: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args: process.argv.slice(2), options });
  const [seconds, seed, kills] = [Number(values.seconds), Number(values.seed), Number(values.kills)];
  const carrier = CARRIERS.find((each) => each === values.carrier);
  const isRight = carrier !== undefined && [seconds, seed, kills].every(Number.isInteger) && seconds >= 10 && kills >= 0;
  return isRight ? { seconds, seed, carrier, kills, isStorm: values.storm } : undefined;
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

function formatStorm({ faults, kinds, commits, commands, refused, races, looks, healedMs, memory, descriptors }: StormResult): string[] {
  return [
    `${faults} faults of ${kinds} kinds, ${races} pushes of two at one moment; repositories looked at ${looks} times meanwhile`,
    `${commits} commits of people, ${commands} commands that ended well`,
    `refused for want of a way ${refused['no way']} times, for the disk, the descriptors or the clock ${refused.machine}, for somebody was quicker ${refused.race}`,
    `all copies equal ${(healedMs / 1_000).toFixed(1)} s after the last fault`,
    `largest agent ${(memory / MEGABYTE).toFixed(1)} MB, most descriptors ${descriptors}`,
  ];
}

async function run(options: Options): Promise<readonly string[]> {
  const say = (line: string): void => console.log(line);
  if (options.isStorm) {
    const result = await runStorm({ ...options, say });
    for (const line of formatStorm(result)) say(line);
    return result.wrong;
  }
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
  const { seconds, seed, carrier, kills, isStorm } = options;
  const soak = isStorm ? `storm of ${seconds} s, seed ${seed}` : `soak of ${seconds} s, seed ${seed}, carrier ${carrier}`;
  console.log(kills > 0 ? `${kills} kills, seed ${seed}` : soak);
  const wrong = await run(options);
  for (const line of wrong) console.log(`WRONG: ${line}`);
  console.log(wrong.length === 0 ? 'everything ended right' : `${wrong.length} things went wrong`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
