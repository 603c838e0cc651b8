// One simulation: a seed, a graph, people at work while everything breaks, then peace. Rule: all that happens follows from the seed, and
// what came of it is compared with what must hold.

import type { Policy } from '../../src/sync/plan.ts';
import { checkWorld } from './check.ts';
import { checkLive } from './live.ts';
import { DIGEST_EVERY_MS } from './contacts.ts';
import { DECISIONS } from './decisions.ts';
import type { Decisions } from './decisions.ts';
import { drawGraph } from './map.ts';
import type { Graph } from './map.ts';
import { People } from './people.ts';
import { World } from './world.ts';
import type { Counts } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly devices: number;
  /** Whether devices differ in `xmpp.merge` and `xmpp.rewrite`; else all merge. */
  readonly isMixed?: boolean;
  /** Whether there are hubs and two kinds of git in any case; else as it is drawn. */
  readonly isHard?: boolean;
  /** Whether there are no hubs, which hold everything, and people who never leave anything as it is. */
  readonly isRestless?: boolean;
  /** What decides; a spoilt copy for a try. */
  readonly decisions?: Decisions;
}

export interface SimulationResult {
  readonly seed: number;
  /** What is not as it must be. */
  readonly wrong: readonly string[];
  readonly hubs: number;
  readonly commits: number;
  readonly rewrites: number;
  /** Different automatic merges that were made. */
  readonly merges: number;
  readonly counts: Counts;
  /** Maps that any one device published at most after the last act and the last fault. */
  readonly rounds: number;
  /** Milliseconds from then to the last move of a branch. */
  readonly tookMs: number;
  readonly events: number;
}

/** `xmpp.merge = merge` in a folder that is kept the same everywhere. */
export const MERGE: Policy = { merge: 'merge', mergeFrom: 'own', rewrite: 'follow', isFolder: true };
/** Milliseconds of work and faults. */
const WORK_MS = 20 * 60_000;
/** More than this for each device, and it does not end. */
const EVENTS_PER_DEVICE = 5_000;
/** The same while people work. */
const EVENTS_PER_DEVICE_AT_WORK = 50_000;
/** So many half hours later all is over, if not before. */
const MAX_DIGESTS = 48;
const TROUBLE = 0.08;

/** Runs one simulation. */
export function simulate({ seed, devices, isMixed = false, isHard = false, isRestless = false, decisions = DECISIONS }: SimulationOptions): SimulationResult {
  const world = new World(seed, decisions);
  const graph = drawGraph(world, { devices, hardness: isHard ? 'hard' : isRestless ? 'no hubs' : 'drawn', policyOf: () => (isMixed ? drawPolicy(world) : MERGE) });
  const people = new People(world, isRestless);
  people.found(graph.devices);
  for (const device of graph.devices) device.start();
  const wrong: string[] = [];
  const limit = EVENTS_PER_DEVICE * devices;
  if (!breakAndWork(world, graph, people)) wrong.push('there is no end of what happens while people work');
  heal(world, graph);
  const healedAt = world.now;
  const before = graph.devices.map(({ published }) => published);
  if (!world.settle(limit)) wrong.push('it does not become quiet');
  // What was lost in the last moment is found by the next digest; from hub to hub, where nobody announces, by one after another.
  for (let digests = 0, told = -1; digests < MAX_DIGESTS && wrong.length === 0 && told !== toldIn(world); digests += 1) {
    told = toldIn(world);
    if (!world.pass(DIGEST_EVERY_MS, limit)) wrong.push('there is no end of what follows a digest');
    if (!world.settle(limit)) wrong.push('it does not become quiet after a digest');
  }
  const rounds = Math.max(...graph.devices.map(({ published }, index) => published - (before[index] ?? 0)));
  const tookMs = Math.max(0, world.movedAt - healedAt);
  if (wrong.length === 0) wrong.push(...checkWorld(world, graph, people));
  if (wrong.length === 0 && !isMixed && graph.hubs.length === 0) wrong.push(...checkLive(world, graph, people));
  const { counts, commits, events } = world;
  return { seed, wrong, hubs: graph.hubs.length, commits: commits.people.length, rewrites: people.rewrites, merges: commits.automatic, counts: { ...counts }, rounds, tookMs, events };
}

/** What was said so far that is not said again where nothing is new. */
function toldIn({ counts }: World): number {
  return counts.published + counts.offers;
}

function drawPolicy({ draw }: World): Policy {
  const merge = draw.hasLuck(0.6) ? 'merge' : draw.hasLuck(0.7) ? 'ff' : 'none';
  return { ...MERGE, merge, rewrite: draw.hasLuck(0.8) ? 'follow' : 'ask' };
}

/** People work while lines are cut, agents crash, and messages are lost. @returns whether that has an end */
function breakAndWork(world: World, { devices, lines, hubs }: Graph, people: People): boolean {
  const { draw } = world;
  world.trouble = TROUBLE;
  const acts = Math.round(Math.sqrt(devices.length) * draw.between(3, 12));
  for (let done = 0; done < acts; done += 1) {
    // In bursts, the last of them at the very end: what happens at once is what can go wrong.
    const at = WORK_MS * (1 - draw.below(6) / 6) - draw.between(0, 4_000) * 10 ** draw.below(2);
    world.after(at, () => people.act(draw.pick(devices)), true);
  }
  for (let done = 0; done < devices.length / 2; done += 1) {
    const line = lines[draw.below(lines.length)];
    world.after(draw.between(0, WORK_MS), () => line?.cut(), true);
    world.after(draw.between(0, WORK_MS), () => line?.mend(), true);
    const [crashed, busy] = [draw.pick(devices), draw.pick(devices)];
    const at = draw.between(0, WORK_MS);
    world.after(at, () => void (crashed.isRunning && crashed.crash()), true);
    world.after(draw.between(at, WORK_MS), () => void (crashed.isRunning || crashed.start()), true);
    world.after(draw.between(0, WORK_MS), () => void (busy.busyUntil = world.now + draw.between(0, 120_000)), true);
  }
  for (const hub of hubs) {
    world.after(draw.between(0, WORK_MS), () => void (hub.isUp = false), true);
    world.after(draw.between(0, WORK_MS), () => void (hub.isUp = true), true);
  }
  return world.pass(WORK_MS, EVENTS_PER_DEVICE_AT_WORK * devices.length);
}

/** Everything is whole, every agent runs; the network is noticed to be back where it is. */
function heal(world: World, { devices, lines, hubs }: Graph): void {
  world.trouble = 0;
  for (const line of lines) line.isUp = true;
  for (const hub of hubs) hub.isUp = true;
  for (const device of devices) {
    device.busyUntil = 0;
    if (!device.isRunning) device.start();
    else if (world.draw.hasLuck(0.5)) device.contacts.helloAll();
  }
}
