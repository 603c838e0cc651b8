// When a process began, as a text to compare. Follows proc(5); where there is no /proc, ps(1), and on Windows PowerShell (both untried).
// Rule: a pid alone names nobody, since pids come round again; pid and start, with the boot they belong to, do.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './errors.ts';

/** The start of process `pid` in this boot; undefined when no such process runs. */
export async function readProcessStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'win32') return askPowerShell(pid);
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id');
  if (boot === undefined) return askPs(pid);
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets, and may hold anything; state is field 3, start field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isGone = fields[0] === 'Z' || fields[0] === 'X';
  return isGone || fields[19] === undefined ? undefined : `${boot.trim()} ${fields[19]}`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

async function askPs(pid: number): Promise<string | undefined> {
  try {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env, timeout: 5000 });
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch (error) {
    // ps ends with 1 when there is no such process; execFile gives that as a number.
    if (error instanceof Error && 'code' in error && error.code === 1) return undefined;
    throw error;
  }
}

async function askPowerShell(pid: number): Promise<string | undefined> {
  const script = `$p = Get-Process -Id ${pid} -ErrorAction SilentlyContinue; if ($p) { $p.StartTime.ToFileTimeUtc() }`;
  const { stdout } = await promisify(execFile)('powershell', ['-NoProfile', '-NonInteractive', '-Command', script], { timeout: 15_000, windowsHide: true });
  return stdout.trim() === '' ? undefined : stdout.trim();
}
