// How commands speak. Rule: stdout carries the result, people read stderr; no colour unless both ends want it; a closed pipe is an end.

import { asFault, codeOf, formatFault, formatFaultLines, remedyOf } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';

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

/** Rows in columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, index) => cell.padEnd(index === row.length - 1 ? 0 : (widths[index] ?? 0))).join('  ').trimEnd());
}

/** Bytes for people: `0 B`, `812 B`, `1.4 kB`, `12 MB`, in thousands. */
export function formatBytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  const step = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** step;
  return `${step > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

/** A time of day, or a date when it was not today. */
export function formatTime(at: number, now: number): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(now).toDateString();
  const time = `${String(then.getHours()).padStart(2, '0')}:${String(then.getMinutes()).padStart(2, '0')}`;
  return isToday ? time : `${then.getFullYear()}-${String(then.getMonth() + 1).padStart(2, '0')}-${String(then.getDate()).padStart(2, '0')} ${time}`;
}
