// Runs what manages services: systemctl, loginctl, journalctl, launchctl. Rule: in plain words (no pager, no colour, no translation), bounded in
// time and output; how it ended is an answer and no error.

import { execFile } from 'node:child_process';
import { codeOf } from '../lib/errors.ts';

export interface Ran {
  /** 127 where there is no such program, 124 where it took too long. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunCommand = (command: string, args: readonly string[]) => Promise<Ran>;

const NOT_FOUND = 127;
const TOO_LATE = 124;
const DEADLINE_MS = 60_000;
const MAX_OUTPUT_BYTES = 1 << 20;

export function runCommand(command: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<Ran> {
  const plain = { ...env, LC_ALL: 'C.UTF-8', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' };
  return new Promise((resolve) => {
    execFile(command, [...args], { env: plain, timeout: DEADLINE_MS, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      resolve({ code: exitCode(error), stdout, stderr: stderr.trim() });
    });
  });
}

function exitCode(error: Error | null): number {
  if (error === null) return 0;
  if (codeOf(error) === 'ENOENT') return NOT_FOUND;
  if ('code' in error && typeof error.code === 'number') return error.code;
  return TOO_LATE;
}
