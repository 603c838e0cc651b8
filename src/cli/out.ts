// How commands speak. Rule: stdout carries the result, people read stderr; no colour unless both ends want it; a closed pipe is an end.

import { asFault, codeOf, formatFault, formatFaultLines, remedyOf } from '../lib/errors.ts';
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

/** Tells a fault: what is wrong, and what to do; to a program, that asked for JSON, on stdout as well. */
export function tellFault(error: unknown, isForProgram = false): Fault {
  const fault = asFault(error, 'git xmpp');
  for (const line of formatFaultLines(fault)) say(line);
  if (isForProgram) print(JSON.stringify({ fault: { ...formatFault(fault), remedy: remedyOf(fault) } }));
  return fault;
}

/**
 * Ends the process when nobody reads on: quietly where the reader went, as `git xmpp events | head` means it, with its words where writing failed.
 * Nobody to read what is said on stderr is no reason to end.
 */
export function endWithReader(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error) => {
    if (codeOf(error) === 'EPIPE') process.exit(0);
    process.exit(tellFault(asFault(error, 'writing the result')).exitCode);
  });
}
