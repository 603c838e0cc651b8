// A pipe that this process holds, as a shim holds the one that git reads.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { readProcessStart } from '../../src/lib/process-start.ts';
import type { OutputPlace } from '../../src/control/output-format.ts';
import { makeFolder } from './repo.ts';

export interface Fifo {
  /** The end that is written to. */
  readonly place: OutputPlace;
  readonly reader: Readable;
  /** This process lets go of its end. */
  close(): void;
}

export async function makeFifo(): Promise<Fifo> {
  const path = join(makeFolder(), 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  const fd = openSync(path, constants.O_WRONLY);
  return { place: { pid: process.pid, fd, start: (await readProcessStart(process.pid)) ?? '' }, reader, close: () => closeSync(fd) };
}
