// `npm run sabotage`: breaks invariants of the code on purpose, one at a time, and says whether the tests notice.
// Rule: works on copies; exit code 0 when every breakage was caught, 1 when not, 2 for wrong use; the last line is the sum.

import os from 'node:os';
import { parseArgs } from 'node:util';
import { breakText, specFile } from './breakage.ts';
import type { Breakage } from './breakage.ts';
import { BREAKAGES } from './breakages/index.ts';
import { drawTrials, tryOut } from './random.ts';
import { Workshop } from './workshop.ts';

const USAGE = [
  'usage: npm run sabotage -- [--only "part of an invariant or file"] [--share 0.1] [--jobs N]',
  '       npm run sabotage -- --random N [--seed N] [--in src/sync] [--jobs N]',
].join('\n');

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    share: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.max(1, Math.floor(os.availableParallelism() / 2))) },
    random: { type: 'string' },
    seed: { type: 'string', default: '1' },
    in: { type: 'string' },
  },
});
const [jobs, seed, share, count] = [Number(values.jobs), Number(values.seed), Number(values.share), Number(values.random ?? 0)];
// Some of all, from everywhere in the tables.
const isInShare = (_each: Breakage, index: number): boolean => Math.floor((index + 1) * share) > Math.floor(index * share);
const chosen = BREAKAGES.filter(({ invariant, file }) => values.only === undefined || `${file}: ${invariant}`.includes(values.only)).filter(isInShare);
const isRight = [jobs, seed, count].every(Number.isSafeInteger) && jobs >= 1 && count >= 0 && share > 0 && share <= 1;
if (!isRight || chosen.length === 0) {
  console.error(USAGE);
  process.exit(2);
}
const workshops = Array.from({ length: jobs }, () => new Workshop());
process.on('exit', () => workshops.forEach((workshop) => workshop.remove()));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
process.exitCode = count === 0 ? await runTable() : await runBlindly(count);

async function runTable(): Promise<number> {
  const start = performance.now();
  const [first] = workshops;
  const whole = await first?.run([...new Set(chosen.flatMap(({ specs }) => specs.map(specFile)))], { isToTheEnd: true });
  if (whole?.kind !== 'green') {
    console.log(`WRONG: nothing is broken yet, and the specs do not pass: ${whole?.kind === 'red' ? whole.by : whole?.kind}`);
    return 1;
  }
  const survivors: string[] = [];
  await forEach(chosen, async (breakage, workshop) => {
    const { isCaught, line } = await tryBreakage(breakage, workshop);
    if (!isCaught) survivors.push(line);
    console.log(line);
  });
  console.log(survivors.length === 0 ? '' : `\n${survivors.join('\n')}`);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${chosen.length} invariants broken on purpose in ${seconds} s: ${chosen.length - survivors.length} caught, ${survivors.length} not`);
  return survivors.length === 0 ? 0 : 1;
}

async function tryBreakage(breakage: Breakage, workshop: Workshop): Promise<{ readonly isCaught: boolean; readonly line: string }> {
  const what = `${breakage.file}: ${breakage.invariant}`;
  try {
    const verdict = await workshop.runWith(breakage.file, breakText(workshop.read(breakage.file), breakage), breakage.specs.map(specFile));
    if (verdict.kind === 'red') return { isCaught: true, line: `caught      ${what}\n              by "${verdict.by}"` };
    const why = { green: '', unloaded: ' (it could not be loaded or built)', hung: ' (the specs hang)' }[verdict.kind];
    return { isCaught: false, line: `NOT CAUGHT  ${what}${why}` };
  } catch (error) {
    return { isCaught: false, line: `NOT BROKEN  ${what}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function runBlindly(count: number): Promise<number> {
  const trials = drawTrials({ count, seed, within: values.in });
  let survivors = 0;
  await forEach(trials, async (trial, workshop) => {
    const { line, isSurvivor } = await tryOut(trial, workshop);
    if (isSurvivor) survivors += 1;
    console.log(line);
  });
  console.log(`${trials.length} changes, seed ${seed}: ${survivors} survive`);
  return 0;
}

/** As many at a time as there are copies, in order. */
async function forEach<T>(items: readonly T[], work: (item: T, workshop: Workshop) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    workshops.map(async (workshop) => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item, workshop);
    }),
  );
}
