// Lets Node run the project's own TypeScript as it is (`node --import ./scripts/typescript.mjs file.ts`): Node 20 does not strip types.
// Rule: only types are taken away; packages and module resolution stay Node's own.

import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from 'esbuild';

// Node loads this file again, in a thread of its own, as the hook it registers.
if (isMainThread) register(import.meta.url);

/** Node's load hook for `.ts` files. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
  const file = fileURLToPath(url);
  const { code } = await transform(await readFile(file, 'utf8'), { loader: 'ts', target: 'node20', format: 'esm', sourcemap: 'inline', sourcefile: file });
  return { format: 'module', source: code, shortCircuit: true };
}
