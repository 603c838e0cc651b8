// A storm: three devices at work on two repositories while everything that can break about them breaks at seeded moments. Rule: no commit is lost, every
// repository is sound, what people start ends with success or a true error, and after the last fault all copies are equal and nothing is left behind.

import { cpSync, existsSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Device } from '../helpers/device.ts';
import { whatIsWrong } from '../helpers/sound.ts';
import { checkBranches, checkLeft, checkObjects, mergedTip } from './storm-check.ts';
import { Faults, startAgain } from './storm-faults.ts';
import { People } from './storm-people.ts';
import type { Done } from './storm-people.ts';
import { formatStormFault, planStorm } from './storm-plan.ts';
import { NAMES, startStorm } from './storm-setting.ts';
import type { StormSetting } from './storm-setting.ts';
import { AgentWatch, look } from './storm-watch.ts';
import type { Peaks } from './storm-watch.ts';

export interface StormOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Takes a line for each fault. */
  readonly say: (line: string) => void;
}

export interface StormResult extends Done, Peaks {
  readonly faults: number;
  readonly kinds: number;
  /** Times that all objects of a repository were looked at meanwhile. */
  readonly looks: number;
  /** Milliseconds from the end of the last fault to equal copies. */
  readonly healedMs: number;
  readonly wrong: readonly string[];
}

const HEAL_MS = 240_000;
const LOOK_EVERY_MS = 15_000;
const PEAK_BYTES = 220 * 2 ** 20;
const PEAK_DESCRIPTORS = 400;
/** Gits that wait for questions, by three pipes each, and links both ways with all others, which come and go. */
const SPARE_DESCRIPTORS = 30;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const setting = await startStorm(options.seconds);
  try {
    const result = await storm(setting, options);
    if (result.wrong.length > 0) options.say(`logs: ${keepLogs(setting)}`);
    return result;
  } finally {
    await setting.stop();
  }
}

/** What the agents wrote, and the repository that is merged, would go with their disks. @returns the folder that they are in now */
function keepLogs({ places }: StormSetting): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-storm-logs-'));
  for (const { name, device, notes } of places) {
    cpSync(path.join(notes.dir, '.git'), path.join(dir, `${name}.notes.git`), { recursive: true });
    for (const file of ['agent.log.1', 'agent.log']) {
      if (existsSync(path.join(device.home, file))) cpSync(path.join(device.home, file), path.join(dir, `${name}.${file}`));
    }
  }
  return dir;
}

async function storm(setting: StormSetting, { seconds, seed, say }: StormOptions): Promise<StormResult> {
  const { places } = setting;
  const [notes, works] = [places.map((place) => place.notes), places.map((place) => place.work)];
  const wrong: string[] = [];
  const [start, lengthMs] = [Date.now(), seconds * 1_000];
  const tell = (line: string): void => say(`${((Date.now() - start) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  const note = (line: string): void => {
    wrong.push(line);
    tell(`WRONG: ${line.split('\n').slice(0, 3).join(' / ')}`);
  };
  const isOver = (): boolean => Date.now() - start > lengthMs;
  const before = places.map(({ device }) => look(device.agentPid())?.descriptors ?? 0);
  const watch = new AgentWatch(places.map(({ device }) => device), note);
  try {
    const people = new People({ setting, seed: seed + 1, isOver, wrong: note });
    const faults = new Faults({ setting, watch, bothPush: (target) => people.bothPush(target), wrong: note });
    const plan = planStorm(seed, { lengthMs, devices: NAMES, hasClock: places[0].clock !== undefined });
    if (places[0].clock === undefined) tell('no clock is set: libfaketime is not installed');
    const breaking = plan.map(async (fault) => {
      await pass(Math.max(0, start + fault.at - Date.now()));
      tell(formatStormFault(fault));
      await faults.do(fault).catch((error: unknown) => note(`${formatStormFault(fault)}: ${String(error)}`));
    });
    const looking = lookAtObjects(setting, isOver, note);
    await Promise.all([people.work(), ...breaking]);
    tell('the last fault is over');
    const healed = Date.now();
    const equal = (): Promise<string | undefined> => mergedTip(notes, HEAL_MS).catch((error: unknown) => (note(String(error)), undefined));
    await people.tidyUp();
    const looks = await looking;
    await equal();
    for (const line of await checkBranches(works, people.made, HEAL_MS)) note(line);
    const healedMs = Date.now() - healed;
    // What a git that was killed alone had received goes when its agent starts again.
    for (const { device } of places) await startAnew(device, watch);
    const tip = await equal();
    if (tip !== undefined) for (const line of await whatIsWrong(notes, tip)) note(line);
    for (const [index, { device, work, plain }] of places.entries()) {
      for (const dir of [work.dir, plain]) for (const line of await checkObjects({ device, dir })) note(line);
      const dirs = [device.path('notes'), work.dir, plain];
      for (const line of await checkLeft({ device, dirs, descriptors: (before[index] ?? 0) + SPARE_DESCRIPTORS })) note(line);
    }
    const peaks = watch.stop();
    if (peaks.memory > PEAK_BYTES) note(`an agent took ${peaks.memory} bytes`);
    if (peaks.descriptors > PEAK_DESCRIPTORS) note(`an agent had ${peaks.descriptors} descriptors`);
    return { ...people.done, ...peaks, faults: plan.length, kinds: new Set(plan.map(({ kind }) => kind)).size, looks, healedMs, wrong };
  } finally {
    watch.stop();
  }
}

async function startAnew(device: Device, watch: AgentWatch): Promise<void> {
  watch.expectEnd(device);
  await device.stop();
  const failure = await startAgain(device);
  if (failure !== undefined) throw new Error(`${device.name}: the agent did not start again: ${failure}`);
  watch.expectNone(device);
}

/** Looks at all repositories again and again. @returns how many times one was looked at */
async function lookAtObjects({ places }: StormSetting, isOver: () => boolean, note: (line: string) => void): Promise<number> {
  let looks = 0;
  while (!isOver()) {
    for (const { notes, work } of places) {
      for (const copy of [notes, work]) for (const line of await checkObjects(copy)) note(line);
      looks += 2;
    }
    for (const until = Date.now() + LOOK_EVERY_MS; Date.now() < until && !isOver(); ) await pass(200);
  }
  return looks;
}
