// Breaks the cores blindly. Rule: the draw follows from the seed; a survivor is for a person to judge, since a change that changes nothing survives too.

import { readSources } from '../helpers/source-files.ts';
import { describeMutation, mutate, mutationsOf } from './mutate.ts';
import type { Mutation } from './mutate.ts';
import { specsOf } from './specs-of.ts';
import type { Workshop } from './workshop.ts';

/** The cores: pure, so that unit and property specs show all that they do. */
const CORES = /^src\/(?:sync|pipe|pairing)\/|^src\/[^/]+\/[^/]+-(?:machine|format)\.ts$|^src\/git\/(?:move|check-move|publish-commit|ref-transaction|busy|index-lock)\.ts$/;

export interface Trial {
  readonly file: string;
  readonly text: string;
  readonly mutation: Mutation;
}

/** @param within part of a file's path, to look at some only */
export function drawTrials({ count, seed, within }: { readonly count: number; readonly seed: number; readonly within: string | undefined }): Trial[] {
  const files = readSources('src').filter(({ file }) => (within === undefined ? CORES.test(file) : file.includes(within)));
  const all = files.flatMap(({ file, text }) => mutationsOf(text).map((mutation) => ({ file, text, mutation })));
  const next = draw(seed);
  return all
    .map((trial) => ({ trial, key: next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ trial }) => trial);
}

/** @returns a line for the person, and whether the change survived */
export async function tryOut({ file, text, mutation }: Trial, workshop: Workshop): Promise<{ readonly line: string; readonly isSurvivor: boolean }> {
  const specs = specsOf(file);
  if (specs.length === 0) return { line: `no spec     ${file}`, isSurvivor: true };
  const verdict = await workshop.runWith(file, mutate(text, mutation), specs);
  return verdict.kind === 'green'
    ? { line: `survives    ${file}:${describeMutation(text, mutation)}`, isSurvivor: true }
    : { line: `${verdict.kind.padEnd(10)}  ${file}:${describeMutation(text, mutation).split('\n')[0]}`, isSurvivor: false };
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function draw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
