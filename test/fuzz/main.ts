// `npm run fuzz`: feeds spoiled input to everything that reads bytes from outside, and says how much it was.
// Rule: exit code 0 when every input was read or refused in words, 1 when not, 2 for wrong use; the last line is the count.

import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';
import { TARGETS } from './targets/index.ts';

const USAGE = 'usage: npm run fuzz -- [--seconds 60] [--seed N] [--target name]';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' }, target: { type: 'string' } } });
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
const targets = TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (!(seconds > 0) || !Number.isSafeInteger(seed) || targets.length === 0) {
  console.error(USAGE);
  console.error(`targets: ${TARGETS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const { counts, cases, peak, wrong } = await fuzz({ seconds, seed, targets });
for (const [name, { tried, read }] of counts) console.log(`${String(tried).padStart(9)}  ${String(read).padStart(9)} read  ${name}`);
for (const words of wrong) console.log(`WRONG  ${words}`);
console.log(`largest heap ${(peak / 2 ** 20).toFixed(0)} MiB`);
console.log(`${cases} cases of ${targets.length} targets in ${seconds} s, seed ${seed}: ${wrong.length === 0 ? 'all read or refused' : `${wrong.length} targets failed`}`);
process.exit(wrong.length === 0 ? 0 : 1);
