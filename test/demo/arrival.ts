// When a branch of a work tree moves. Rule: told by the file system, so that watching costs the run no process; agents write the files
// before they move the branch.

import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const DEADLINE_MS = 30_000;

/** The next tip of `main` in `dir`, and when it was there, on the clock of `performance.now`. */
export interface Arrival {
  readonly tip: string;
  readonly at: number;
}

/** Begins to watch at once. @throws (later) when nothing comes within 30 s */
export async function nextTip(dir: string): Promise<{ readonly arrival: Promise<Arrival> }> {
  const heads = path.join(dir, '.git/refs/heads');
  const before = await readTip(heads);
  const arrival = new Promise<Arrival>((resolve, reject) => {
    const watcher = watch(heads);
    const end = (): void => {
      clearTimeout(timer);
      watcher.close();
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no commit arrived within ${DEADLINE_MS / 1000} s`));
    }, DEADLINE_MS);
    watcher.on('change', () => {
      const at = performance.now();
      void readTip(heads).then((tip) => {
        if (tip === '' || tip === before) return;
        end();
        resolve({ tip, at });
      });
    });
  });
  // Whoever asked may have failed meanwhile.
  arrival.catch(() => undefined);
  return { arrival };
}

async function readTip(heads: string): Promise<string> {
  return (await readFile(path.join(heads, 'main'), 'utf8').catch(() => '')).trim();
}
