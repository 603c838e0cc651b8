// Looking at many files of a work tree, one after another. Rule: by the quick calls that block, for thousands of the others take seconds; after
// some hundreds, other work of this process gets its turn.

import { lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { below } from './obstacle.ts';

const AT_ONCE = 256;

/** What is at each of `paths` below `root`, links not followed; undefined for nothing, or for what may not be looked at. */
export async function* lookAtFiles<T extends { readonly path: Buffer }>(root: string, paths: Iterable<T>): AsyncGenerator<readonly [T, Stats | undefined]> {
  let count = 0;
  for (const each of paths) {
    count += 1;
    if (count % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    yield [each, lookAt(below(root, each.path))];
  }
}

function lookAt(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A folder that may not be read, a disk that fails: git, which is asked before anything is committed, takes that for no deletion.
    return undefined;
  }
}
