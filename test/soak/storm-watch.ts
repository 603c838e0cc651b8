// What agents take of the machine during a storm, and whether one of them ends though nobody ended it. Rule: looked at once a second through /proc, so
// that a peak of moments shows too.

import { readdirSync, readFileSync } from 'node:fs';
import type { Device } from '../helpers/device.ts';

export interface Peaks {
  /** Bytes that are resident. */
  readonly memory: number;
  readonly descriptors: number;
}

export class AgentWatch {
  readonly #devices: readonly Device[];
  readonly #expected = new Set<Device>();
  readonly #pids = new Map<Device, number>();
  readonly #wrong: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  #memory = 0;
  #descriptors = 0;

  constructor(devices: readonly Device[], wrong: (line: string) => void, everyMs = 1_000) {
    this.#devices = devices;
    this.#wrong = wrong;
    this.#timer = setInterval(() => this.#look(), everyMs);
    for (const device of devices) this.expectNone(device);
    this.#look();
  }

  /** Somebody is about to end it. */
  expectEnd(device: Device): void {
    this.#expected.add(device);
  }

  /** What runs now is to go on. */
  expectNone(device: Device): void {
    this.#pids.set(device, device.agentPid());
    this.#expected.delete(device);
  }

  /** @returns what was seen */
  stop(): Peaks {
    clearInterval(this.#timer);
    return { memory: this.#memory, descriptors: this.#descriptors };
  }

  #look(): void {
    for (const device of this.#devices) {
      const pid = this.#pids.get(device) ?? 0;
      const taken = look(pid);
      if (taken !== undefined) {
        this.#memory = Math.max(this.#memory, taken.memory);
        this.#descriptors = Math.max(this.#descriptors, taken.descriptors);
      } else if (!this.#expected.has(device)) {
        this.#wrong(`${device.name}: the agent ended by itself: ${device.log().split('\n').slice(-4).join(' / ')}`);
        this.#expected.add(device);
      }
    }
  }
}

/** What a process takes now; undefined where it has ended. */
export function look(pid: number): Peaks | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    if (kilobytes === undefined) return undefined;
    return { memory: Number(kilobytes) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}
