// The decisions with one line of them spoilt. Rule: the text of src is changed on its way into memory, never in its place, and a text that is
// not there to be spoilt is an error: else a mutation that no longer bites would seem to be caught.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Decisions } from './decisions.ts';

const SYNC = path.join(import.meta.dirname, '../../src/sync');

/** One change of one file of src/sync. */
export interface Spoiling {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Loads src/sync with that change. */
export async function spoil({ file, from, to }: Spoiling): Promise<Decisions> {
  const text = await readFile(path.join(SYNC, file), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, 'decisions.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [
      {
        name: 'spoil',
        setup: (building) => building.onLoad({ filter: new RegExp(`src/sync/${file.replaceAll('.', '\\.')}$`) }, () => ({ contents: text.replace(from, () => to), loader: 'ts' })),
      },
    ],
  });
  const [output] = outputFiles;
  const code = Buffer.from(output?.contents ?? []).toString('base64');
  const loaded = (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as { readonly DECISIONS: Decisions };
  return loaded.DECISIONS;
}
