// A soak of the tunnel: pushes both ways through proxies that cut, stall, swallow, slow and reorder connections at seeded moments, while the
// server restarts twice. Rule: everything ends right and equal, nothing starts again from nothing, nothing grows.

import type { Device } from '../helpers/device.ts';
import { doFault, formatFault, planFaults, randomOf } from './faults.ts';
import type { Place } from './faults.ts';
import { startSoak } from './setting.ts';
import type { CarrierChoice, SoakSetting } from './setting.ts';
import { readTraffic, trafficSince } from './traffic.ts';
import type { Traffic } from './traffic.ts';
import { WatchedAgent } from './watch.ts';
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
  /** What the pipes carried meanwhile. */
  readonly traffic: Traffic;
  /** Largest resident set of an agent, in bytes. */
  readonly peak: number;
}

/** What TLS records and HTTP/2 frames add to the bytes of a push, in the smallest pieces that bulk goes in; and git's own headers of a pack. */
const FRAMING = 1.015;
/** What a commit of an agent's or a command of git's says beside its objects: headers, refs, answers, maps and digests. */
const STEP_BYTES = 8 * 1024;
/** What is on its way on a carrier, and lost with it: a full window in-band, a full replay buffer on a connection of its own. */
const IN_FLIGHT = { 'in-band': 256 * 1024 + 64 * 1024, other: 4 * 2 ** 20 };
const PEAK_BYTES = 200 * 2 ** 20;
/** One git waits for questions in each repository, by three pipes, once there was one. */
const SPARE_DESCRIPTORS = 9;
const QUIET_MS = 30_000;
const SETTLE_MS = 180_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const setting = await startSoak(options.carrier);
  try {
    return await soak(setting, options);
  } finally {
    await setting.stop();
  }
}

async function soak(setting: SoakSetting, { seconds, seed, carrier, say }: SoakOptions): Promise<SoakResult> {
  const { proxies } = setting;
  const devices = Object.values(setting.devices);
  const [start, lengthMs] = [Date.now(), seconds * 1000];
  const carried = (): number => Object.values(proxies).reduce((sum, { bytes }) => sum + bytes.up + bytes.down, 0);
  const before = { carried: carried(), traffic: await readTraffic(devices) };
  const watched = devices.map((device) => new WatchedAgent(device));
  try {
    const told = await countEvents(devices);
    const breaking = breakPath(setting, { seed, lengthMs, say });
    const done = await withDeadline(workUntil(setting, randomOf(seed + 1), () => Date.now() - start > lengthMs), lengthMs + SETTLE_MS);
    const faults = await breaking;
    const wrong = [...done.wrong, ...(await checkWork(setting, SETTLE_MS))];
    const released = await Promise.all(watched.map((agent) => agent.releases(SPARE_DESCRIPTORS, QUIET_MS)));
    const traffic = trafficSince(before.traffic, await readTraffic(devices));
    const peak = Math.max(...watched.map((agent) => agent.stop()));
    wrong.push(...released.filter((words) => words !== undefined), ...whatIsTooMuch(done, traffic, carrier));
    if (peak > PEAK_BYTES) wrong.push(`an agent took ${peak} bytes`);
    if (told('link-up') > 0) wrong.push(`${told('link-up')} links were made anew, where the pipe should have gone on`);
    return { ...done, wrong, faults, resumed: told('resumed'), carried: carried() - before.carried, traffic, peak };
  } finally {
    for (const agent of watched) agent.stop();
  }
}

/** Nothing starts again from nothing: what had to cross went into the pipes once, and again only what was on its way when a carrier was left. */
function whatIsTooMuch({ payload, commits, commands }: Done, { once, again, changes }: Traffic, carrier: CarrierChoice): string[] {
  const mayOnce = Math.round(FRAMING * payload + (commits + commands) * STEP_BYTES);
  const mayAgain = changes * (carrier === 'in-band' ? IN_FLIGHT['in-band'] : IN_FLIGHT.other);
  return [
    ...(once > mayOnce ? [`${once} bytes were sent for ${payload} to carry, where ${mayOnce} were allowed`] : []),
    ...(again > mayAgain ? [`${again} bytes were sent again at ${changes} changes of carriers, where ${mayAgain} were allowed`] : []),
  ];
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

/** Counts from now on, by following the events of all agents. */
async function countEvents(devices: readonly Device[]): Promise<(type: string) => number> {
  const counts = new Map<string, number>();
  const start = Date.now();
  for (const device of devices) {
    const follow = async (): Promise<void> => {
      for await (const event of device.client.lines('GET', '/events?follow=1')) {
        const { type, at } = event as { readonly type: string; readonly at: number };
        if (at >= start) counts.set(type, (counts.get(type) ?? 0) + 1);
      }
    };
    void follow().catch(() => undefined);
    await device.status();
  }
  return (type) => counts.get(type) ?? 0;
}

function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the work did not end within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
