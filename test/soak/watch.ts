// What an agent takes of the machine while it works, from /proc. Rule: sampled once a second, so that a peak of moments shows too; what is to come
// back is waited for, since what still ends says nothing.

import { readdirSync, readFileSync } from 'node:fs';
import type { Device } from '../helpers/device.ts';

/** An agent that is watched. */
export class WatchedAgent {
  readonly #device: Device;
  readonly #timer: NodeJS.Timeout;
  /** Descriptors when watching began. */
  readonly #descriptors: number;
  #peak: number;

  constructor(device: Device) {
    this.#device = device;
    this.#descriptors = countDescriptors(device);
    this.#peak = readResident(device);
    this.#timer = setInterval(() => (this.#peak = Math.max(this.#peak, readResident(device))), 1_000);
  }

  /** @returns the largest resident set that was seen, in bytes */
  stop(): number {
    clearInterval(this.#timer);
    return this.#peak;
  }

  /**
   * Waits until no more descriptors are open than when watching began, and `spare` ones.
   * @returns what is wrong, or undefined
   */
  async releases(spare: number, deadlineMs: number): Promise<string | undefined> {
    const until = Date.now() + deadlineMs;
    for (;;) {
      const now = countDescriptors(this.#device);
      if (now <= this.#descriptors + spare) return undefined;
      if (Date.now() > until) return `${this.#device.name}: ${now} descriptors after ${deadlineMs} ms of quiet, ${this.#descriptors} at first`;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function countDescriptors(device: Device): number {
  return readdirSync(`/proc/${device.agentPid()}/fd`).length;
}

function readResident(device: Device): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${device.agentPid()}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
