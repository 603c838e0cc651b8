// How commands speak. Rule: stdout carries the result, people read stderr; no colour unless both ends want it; a closed pipe is an end.

import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';

export { formatBytes, formatTime, table } from './text-format.ts';

/** Prints a result. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Says something to the person at the terminal. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Tells a fault: what is wrong, and what to do. */
export function tellFault(error: unknown): Fault {
  const fault = asFault(error, 'git xmpp');
  say(`git-xmpp: ${fault.message}`);
  if (fault.remedy !== undefined) for (const line of fault.remedy.split('\n')) say(`  ${line}`);
  return fault;
}
