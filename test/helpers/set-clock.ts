// A device's own wall clock, which may be set while its agent runs: libfaketime (Debian: faketime) reads the distance from a file. Rule: only the
// wall clock is another one; what measures how long something takes goes on as it is, as on a machine whose clock is set.

import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface SetClock {
  /** What its processes have to be started with. */
  readonly env: Readonly<Record<string, string>>;
  /** So many seconds after the machine's clock, or before it. */
  set(seconds: number): void;
}

/** Threads that start before main() have no patience with the other one. */
const NAME = 'libfaketimeMT.so.1';

/** @param file is made, and read by every process of the device within a second @returns undefined where the library is not installed */
export function makeSetClock(file: string): SetClock | undefined {
  const library = findLibrary();
  if (library === undefined) return undefined;
  const set = (seconds: number): void => {
    writeFileSync(`${file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  return {
    env: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' },
    set,
  };
}

function findLibrary(): string | undefined {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((dir) => existsSync(dir));
  const below = folders.flatMap((dir) => [dir, ...readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => path.join(dir, name))]);
  return below.flatMap((dir) => [path.join(dir, NAME), path.join(dir, 'faketime', NAME)]).find((file) => existsSync(file));
}
