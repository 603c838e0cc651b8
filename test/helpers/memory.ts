// What processes hold in memory, from /proc (proc(5)). Rule: looked at often enough that no second's worth is missed; a process that is gone held nothing.

import { readdirSync, readFileSync } from 'node:fs';

/** Resident bytes of one process; 0 when it is gone. */
export function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Processes that `pid` started, and those that they started; without a process of its own, as `ps` would be. */
export function familyOf(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const children = tasks.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number));
    return children.flatMap((child) => [child, ...familyOf(child)]);
  } catch {
    return [];
  }
}

/** The most that a process, and all that it started together, held while `work` ran. */
export async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<{ readonly own: number; readonly started: number }> {
  let [own, started] = [residentOf(pid), 0];
  const look = (): void => {
    own = Math.max(own, residentOf(pid));
    started = Math.max(started, familyOf(pid).reduce((sum, each) => sum + residentOf(each), 0));
  };
  const timer = setInterval(look, 10);
  try {
    await work();
    look();
    return { own, started };
  } finally {
    clearInterval(timer);
  }
}
