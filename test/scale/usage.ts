// What processes and the machine use, by the kernel's own count (proc_pid_stat(5), proc_stat(5), inotify(7)). Rule: read, never estimated; what others on
// the machine used is told beside it.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/** Clock ticks of /proc a second on Linux. */
const TICKS = 100;

/** Seconds of processor time of a process, with all children that it has waited for. */
export function cpuWithChildren(pid: number): number {
  return statFields(pid).slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** Resident memory in MiB, and its largest so far. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Descriptors that a process holds, and watches of inotify behind them. */
export function descriptorsOf(pid: number): { readonly descriptors: number; readonly watches: number } {
  const all = readdirSync(`/proc/${pid}/fd`);
  const inotify = all.filter((fd) => linkOf(pid, fd) === 'anon_inode:inotify');
  const watches = inotify.map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').split('\n').filter((line) => line.startsWith('inotify ')).length);
  return { descriptors: all.length, watches: watches.reduce((sum, each) => sum + each, 0) };
}

/** Children of a process that run now. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
}

/** Seconds of processor time that all of the machine has used. */
export function cpuOfMachine(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  return (user + nice + system + irq + softirq) / TICKS;
}

/** Cores of this machine. */
export const CORES = os.availableParallelism();

function statFields(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // Closed meanwhile.
    return '';
  }
}
