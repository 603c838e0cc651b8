// A soak of the tunnel: pushes both ways through proxies that cut, stall, swallow, slow and reorder connections at seeded moments, while the
// server restarts twice. Rule: everything ends right and equal, nothing starts again from nothing, nothing grows.

import { doFault, formatFault, planFaults, randomOf } from './faults.ts';
import type { Place } from './faults.ts';
import { startSoak } from './setting.ts';
import type { CarrierChoice, SoakSetting } from './setting.ts';
import { countDescriptors, watchAgent } from './watch.ts';
import { checkWork, workUntil } from './work.ts';
import type { Done } from './work.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly carrier: CarrierChoice;
  /** Takes a line for each fault. */
  readonly say: (line: string) => void;
}

export interface SoakResult extends Done {
  readonly faults: number;
  /** Times a pipe went on over another carrier. */
  readonly resumed: number;
  /** Bytes through all proxies, both directions. */
  readonly carried: number;
  /** What `carried` may be at most. */
  readonly allowed: number;
  /** Largest resident set of an agent, in bytes. */
  readonly peak: number;
}

/** In-band bytes cross both devices' proxies, in base64 and stanzas. */
const WIRE_FACTOR = 2 * 1.5;
/** What one break may cost: a full window each way on both links, in base64 and twice over both proxies; a sign-in and its links; what a command had sent that then found no way. */
const BREAK_BYTES = 2 * 2 * 2 * 256 * 1024 * 1.5 + 2 ** 20;
const PEAK_BYTES = 200 * 2 ** 20;
/** Descriptors that a moment may need more than another. */
const SPARE_DESCRIPTORS = 12;
const SETTLE_MS = 180_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const setting = await startSoak(options.carrier);
  try {
    return await soak(setting, options);
  } finally {
    await setting.stop();
  }
}

async function soak(setting: SoakSetting, { seconds, seed, say }: SoakOptions): Promise<SoakResult> {
  const { devices, proxies } = setting;
  const [start, lengthMs] = [Date.now(), seconds * 1000];
  const carried = (): number => Object.values(proxies).reduce((sum, { bytes }) => sum + bytes.up + bytes.down, 0);
  const before = carried();
  const watching = Object.values(devices).map((device) => ({ device, stop: watchAgent(device) }));
  try {
    const resumed = await countResumed(setting);
    const breaking = breakPath(setting, { seed, lengthMs, say });
    const done = await withDeadline(workUntil(setting, randomOf(seed + 1), () => Date.now() - start > lengthMs), lengthMs + SETTLE_MS);
    const faults = await breaking;
    const wrong = [...done.wrong, ...(await checkWork(setting, SETTLE_MS))];
    const allowed = WIRE_FACTOR * done.payload + (faults + 2) * BREAK_BYTES;
    const watched = watching.map(({ device, stop }) => ({ device, ...stop() }));
    const peak = Math.max(...watched.map((each) => each.peak));
    if (carried() - before > allowed) wrong.push(`${carried() - before} bytes crossed where ${allowed} were allowed`);
    if (peak > PEAK_BYTES) wrong.push(`an agent took ${peak} bytes`);
    for (const { device, descriptors } of watched) {
      const now = countDescriptors(device);
      if (now > descriptors + SPARE_DESCRIPTORS) wrong.push(`${device.name}: ${now} descriptors, ${descriptors} at first`);
    }
    return { ...done, wrong, faults, resumed: resumed(), carried: carried() - before, allowed, peak };
  } finally {
    for (const { stop } of watching) stop();
  }
}

/** Breaks by the plan and restarts the server twice; at the end all is whole again. @returns how many faults there were */
async function breakPath(setting: SoakSetting, { seed, lengthMs, say }: { readonly seed: number; readonly lengthMs: number; readonly say: SoakOptions['say'] }): Promise<number> {
  const { proxies, server } = setting;
  const start = Date.now();
  const until = (at: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, start + at - Date.now())));
  const tell = (what: string): void => say(`${((Date.now() - start) / 1000).toFixed(1).padStart(7)} s  ${what}`);
  const faults = planFaults(seed, lengthMs, Object.keys(proxies) as Place[]);
  const breaking = faults.map(async (fault) => {
    const proxy = proxies[fault.place];
    await until(fault.at);
    tell(formatFault(fault));
    if (proxy !== undefined) await doFault(fault, proxy);
  });
  for (const at of [lengthMs / 3, (lengthMs * 2) / 3]) {
    await until(at);
    tell('server: restart');
    await server.restart();
  }
  await Promise.all(breaking);
  return faults.length;
}

/** Counts by following the events of both agents. */
async function countResumed({ devices }: SoakSetting): Promise<() => number> {
  let count = 0;
  for (const device of Object.values(devices)) {
    const follow = async (): Promise<void> => {
      for await (const event of device.client.lines('GET', '/events?follow=1')) if ((event as { type: string }).type === 'resumed') count += 1;
    };
    void follow().catch(() => undefined);
    await device.status();
  }
  return () => count;
}

function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the work did not end within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
