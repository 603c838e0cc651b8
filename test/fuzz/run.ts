// Runs targets one after the other until the time is over. Rule: the seed of each batch follows from one seed, so a run can be had again; memory is looked
// at all the while, and something else than this thread notices when a reader never comes back.

import { Worker } from 'node:worker_threads';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly targets: readonly Target[];
  /** Inputs of one target before it is the next one's turn. */
  readonly batch?: number;
}

export interface FuzzResult {
  /** Inputs tried, and how many of them were read and not refused, by target. */
  readonly counts: ReadonlyMap<string, { readonly tried: number; readonly read: number }>;
  readonly cases: number;
  /** Largest heap seen after a batch, with the buffers outside of it, in bytes. */
  readonly peak: number;
  /** What went wrong, in words; a target that failed is left out from then on. */
  readonly wrong: readonly string[];
}

const BATCH = 1000;
/** What the readers hold of what they were given must not add up. */
const MAX_HEAP = 512 * 2 ** 20;

export async function fuzz({ seconds, seed, targets, batch = BATCH }: FuzzOptions): Promise<FuzzResult> {
  const counts = new Map<string, { tried: number; read: number }>(targets.map(({ name }) => [name, { tried: 0, read: 0 }]));
  const wrong = new Map<string, string>();
  const until = performance.now() + seconds * 1000;
  const watch = startWatch();
  let peak = 0;
  try {
    for (let round = 0; performance.now() < until; round += 1) {
      for (const { name, check } of targets.filter((each) => !wrong.has(each.name))) {
        watch.begin(name);
        const count = counts.get(name);
        try {
          const read = await check(batch, seed + round);
          if (count !== undefined) [count.tried, count.read] = [count.tried + batch, count.read + read];
        } catch (error) {
          wrong.set(name, `${name}, seed ${seed + round}: ${wordsOf(error)}`);
        }
        const { heapUsed, external } = process.memoryUsage();
        peak = Math.max(peak, heapUsed + external);
        if (peak > MAX_HEAP) return { counts, cases: sum(counts), peak, wrong: [...wrong.values(), `${name}: the heap grew to ${peak} bytes`] };
        if (performance.now() > until) break;
      }
      if (wrong.size === targets.length) break;
    }
  } finally {
    await watch.end();
  }
  return { counts, cases: sum(counts), peak, wrong: [...wrong.values()] };
}

/** What was thrown, and below it what the reader threw. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${wordsOf(error.cause)}`;
}

function sum(counts: ReadonlyMap<string, { readonly tried: number }>): number {
  return [...counts.values()].reduce((total, { tried }) => total + tried, 0);
}

/** A batch takes well under a second; one that takes longer than this hangs. */
const HANG_MS = 60_000;
const WATCH = `
  const { parentPort } = require('node:worker_threads');
  let timer;
  parentPort.on('message', (name) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      require('node:fs').writeSync(2, 'HANGS: ' + name + '\\n');
      process.kill(process.pid, 'SIGKILL');
    }, ${HANG_MS});
  });`;

/** Ends the whole process, with the target's name, where a batch does not come back. */
function startWatch(): { begin(name: string): void; end(): Promise<unknown> } {
  const worker = new Worker(WATCH, { eval: true });
  worker.unref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  return { begin: (name) => worker.postMessage(name), end: () => worker.terminate() };
}
