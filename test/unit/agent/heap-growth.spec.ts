// How far the agent's heap may grow.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { growthOf } from '../../../src/agent/heap-growth.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
/** Keeps 40 MB, passes 300 MB more through the heap, and says what the heap took at most, in MB. */
const GROW = `
const { getHeapStatistics } = await import('node:v8');
const make = (value) => new Array(65_536).fill(value + 0.5);
const kept = Array.from({ length: 80 }, (_, at) => make(at));
let most = 0;
for (let turn = 0; turn < 600; turn += 1) {
  kept[turn % 80] = make(turn);
  most = Math.max(most, getHeapStatistics().used_heap_size);
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(Math.round(most / 2 ** 20));`;

/** Has so much survive that the space for young objects grows as far as it may, and says how far, in MB. */
const YOUNG = `
const { youngBytes } = await import('./src/agent/heap-growth.ts');
let kept = [];
let most = 0;
for (let turn = 0; turn < 150; turn += 1) {
  for (let count = 0; count < 4000; count += 1) kept.push({ text: 'x' + count });
  if (kept.length > 120_000) kept = kept.slice(60_000);
  most = Math.max(most, youngBytes());
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(Math.round(most / 2 ** 20));`;

function heapWith(setting: string, program = GROW): number {
  return Number(execFileSync(process.execPath, ['--import', './scripts/typescript.mjs', '--input-type=module', '--eval', `${setting}\n${program}`], { cwd: ROOT, encoding: 'utf8' }));
}

describe('the room of the heap', () => {
  it('is the same number of bytes for what lives between 9 and 72 MB, and a share beyond', () => {
    for (const live of [9, 16, 36, 72]) expect(Math.round((growthOf(live << 20) * live) / 100)).toBe(36);
    expect(growthOf(1 << 20)).toBe(400);
    expect(growthOf(500 << 20)).toBe(50);
  });

  it('is given anew after each collection, to a heap that has grown', () => {
    const bounded = heapWith(`(await import('./src/agent/heap-growth.ts')).boundHeap();`);
    const unbounded = heapWith(`(await import('node:v8')).setFlagsFromString('--heap-growing-percent=300');`);
    expect(bounded).toBeLessThan(unbounded - 30);
  });

  it('has no more for young objects than 16 MiB', () => {
    expect(heapWith('', YOUNG)).toBeGreaterThan(20);
    expect(heapWith(`(await import('./src/agent/heap-growth.ts')).boundHeap();`, YOUNG)).toBe(16);
  });
});
