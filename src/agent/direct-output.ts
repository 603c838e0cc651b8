// The pipe that git reads from a shim, opened by the agent itself, so that what a clone brings crosses one process less (docs/PROTOCOL.md, "Streams"; proc(5)).
// Rule: it is only a help: where the shim's pipe cannot be opened, or may be another process's by now, the bytes go through the shim.

import { close, constants, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { OutputPlace } from '../control/output-format.ts';
import { readProcessStart } from '../lib/process-start.ts';
import { widenPipe } from './wider-pipe.ts';

export interface OutputPipe {
  readonly stream: Writable;
  /** Has the system keep more in it, if it can; called while it is open. */
  readonly widen: () => void;
}

/** The pipe to write to; undefined where there is none to be had. */
export async function openOutput({ pid, fd, start }: OutputPlace): Promise<OutputPipe | undefined> {
  if (process.platform !== 'linux') return undefined;
  let opened: number | undefined;
  try {
    // A pipe opened so has a state of its own: that it never blocks here does not change git's end, nor the shim's.
    opened = await promisify(open)(`/proc/${pid}/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    const isPipe = (await promisify(fstat)(opened)).isFIFO();
    // Asked after it was opened: a process that is still the same one was it then too.
    if (isPipe && (await readProcessStart(pid)) === start) {
      const [stream, at] = [new Socket({ fd: opened, readable: false, writable: true }), opened];
      return { stream, widen: () => void widenPipe(at) };
    }
  } catch {
    // Gone, another user's, or hidden: the shim carries it.
  }
  if (opened !== undefined) await promisify(close)(opened);
  return undefined;
}
