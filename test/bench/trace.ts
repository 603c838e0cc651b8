// `node --import ./scripts/typescript.mjs test/bench/trace.ts`: where the milliseconds of one commit go, told step by step
// (docs/PERFORMANCE.md). Rule: both agents are watched from outside by trace-hook.mjs, which costs a few milliseconds itself.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startPair } from './setting.ts';
import { measureCommit } from './latency.ts';

const commits = Number(process.argv[2] ?? 12);
const hook = path.join(import.meta.dirname, 'trace-hook.mjs');

const setting = await startPair({ isInBand: true, envOf: (name) => ({ NODE_OPTIONS: `--import ${hook}`, GIT_XMPP_BENCH_TRACE: traceOf(name) }) });

function traceOf(name: string): string {
  return path.join(process.env['TMPDIR'] ?? '/tmp', `git-xmpp-trace-${process.pid}-${name}`);
}

const took: { readonly ms: number; readonly lines: string[] }[] = [];
try {
  for (let index = 0; index < commits; index += 1) {
    for (const name of ['laptop', 'desktop']) await writeFile(traceOf(name), '');
    const { ms, start } = await measureCommit(setting, { from: 'a', to: 'b', index });
    // The exchange is over when nothing more is said for a moment.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const lines = (await Promise.all(['laptop', 'desktop'].map((name) => readLines(name, start)))).flat();
    took.push({ ms, lines: lines.toSorted((one, other) => one.at - other.at).map(({ at, words }) => `${at.toFixed(1).padStart(7)}  ${words}`) });
  }
} finally {
  await setting.stop();
}

async function readLines(name: string, start: number): Promise<{ at: number; words: string }[]> {
  const text = await readFile(traceOf(name), 'utf8');
  return text.split('\n').filter(Boolean).map((line) => {
    const space = line.indexOf(' ');
    return { at: Number(line.slice(0, space)) - start, words: `${name === 'laptop' ? 'A' : '  B'}  ${line.slice(space + 1)}` };
  });
}

const middle = took.slice(2).toSorted((one, other) => one.ms - other.ms)[Math.floor((took.length - 2) / 2)];
console.log(`files there after ${middle?.ms.toFixed(1)} ms; time 0 is the end of "git commit"`);
for (const line of middle?.lines ?? []) console.log(line);
