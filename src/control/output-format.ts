// Where a shim's pipe is that git reads, in one field of its request (docs/PROTOCOL.md, "Streams"). Rule: it names a process by pid and start, never a path.

import { InputFault } from '../lib/errors.ts';

/** A pipe of a process: `<pid> <descriptor> <start>`. */
export interface OutputPlace {
  readonly pid: number;
  readonly fd: number;
  /** As `readProcessStart` tells it. */
  readonly start: string;
}

/** @throws InputFault */
export function parseOutputPlace(text: string): OutputPlace {
  const [, pid, fd, start] = /^([1-9]\d{0,9}) (\d{1,3}) ([0-9a-f-]{1,64} \d{1,20})$/.exec(text) ?? [];
  if (start === undefined) throw new InputFault('output', 'is not "<pid> <descriptor> <start of the process>"');
  return { pid: Number(pid), fd: Number(fd), start };
}

export function formatOutputPlace({ pid, fd, start }: OutputPlace): string {
  return `${pid} ${fd} ${start}`;
}
