// What an agent takes of the machine while it works, from /proc. Rule: sampled once a second, so that a peak of moments shows too.

import { readdirSync, readFileSync } from 'node:fs';
import type { Device } from '../helpers/device.ts';

export interface Watched {
  /** Largest resident set seen, in bytes. */
  readonly peak: number;
  /** Descriptors when watching began. */
  readonly descriptors: number;
}

/** @returns what stops it and tells what was seen */
export function watchAgent(device: Device): () => Watched {
  const descriptors = countDescriptors(device);
  let peak = readResident(device);
  const timer = setInterval(() => (peak = Math.max(peak, readResident(device))), 1_000);
  return () => {
    clearInterval(timer);
    return { peak, descriptors };
  };
}

export function countDescriptors(device: Device): number {
  return readdirSync(`/proc/${device.agentPid()}/fd`).length;
}

function readResident(device: Device): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${device.agentPid()}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
