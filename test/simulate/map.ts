// Who is joined to whom: random connected graphs. Rule: every device can be reached from every other, over lines and hubs.

import { createHash } from 'node:crypto';
import { parseDeviceId } from '../../src/lib/names.ts';
import type { Policy } from '../../src/sync/plan.ts';
import { SimDevice } from './device.ts';
import type { DeviceOptions } from './device.ts';
import { Hub, HubSide } from './hubs.ts';
import { Line } from './network.ts';
import type { World } from './world.ts';

/** How many lines end at a device on average. */
const MEAN_DEGREE = 3;

export interface Graph {
  readonly devices: readonly SimDevice[];
  readonly lines: readonly Line[];
  readonly hubs: readonly Hub[];
}

/** What a simulation is made of. */
export interface GraphOptions {
  readonly devices: number;
  /** `hard`: many hubs, and two kinds of git. */
  readonly hardness: 'hard' | 'no hubs' | 'drawn';
  /** The policy of each device by its number. */
  readonly policyOf: (index: number) => Policy;
}

/** Draws a graph. */
export function drawGraph(world: World, { devices: count, hardness, policyOf }: GraphOptions): Graph {
  const { draw } = world;
  const gits = draw.hasLuck(0.3) || hardness === 'hard' ? 2 : 1;
  const devices = Array.from({ length: count }, (_none, index) => makeDevice(world, index, { policy: policyOf(index), git: draw.below(gits) }));
  // Islands have no line to one another: hubs alone join them.
  const hasHubs = hardness !== 'no hubs' && (draw.hasLuck(0.7) || hardness === 'hard');
  const islands = hasHubs ? 1 + draw.below(Math.min(4, Math.ceil(count / 8))) : 1;
  const lines = Array.from({ length: islands }, (_none, island) => drawLines(world, devices.filter((_each, index) => index % islands === island))).flat();
  const hubs = hasHubs ? drawHubs(world, devices, { islands, isHard: hardness === 'hard' }) : [];
  // Paired once, and never seen since: their maps come through others.
  for (let done = 0; done < count; done += 1) draw.pick(devices).pins.set(draw.pick(devices).id, 'own');
  for (const device of devices) device.pins.delete(device.id);
  return { devices, lines, hubs };
}

/** A device, whose clock may be wrong by seconds or by a year. */
export function makeDevice(world: World, index: number, { policy, git }: Pick<DeviceOptions, 'policy' | 'git'>): SimDevice {
  const { draw } = world;
  const id = parseDeviceId(createHash('sha256').update(`device ${index}`).digest('hex').slice(0, 32));
  const skew = draw.hasLuck(0.1) ? draw.between(-1, 1) * 365 * 86_400_000 : draw.between(-2_000, 2_000);
  return new SimDevice(world, { id, policy, skew, git });
}

/** Pairs two devices. @returns the line between them, unless there was one */
export function join(one: SimDevice, other: SimDevice): Line | undefined {
  if (one === other || one.lines.has(other.id)) return undefined;
  const line = new Line(one.world);
  one.lines.set(other.id, { line, to: other });
  other.lines.set(one.id, { line, to: one });
  one.pins.set(other.id, 'own');
  other.pins.set(one.id, 'own');
  return line;
}

/** Lines that join all of them. */
function drawLines({ draw }: World, devices: readonly SimDevice[]): Line[] {
  const lines: (Line | undefined)[] = [];
  // A tree first: with each device after the first goes one line to an earlier one.
  for (const [index, device] of devices.entries()) if (index > 0) lines.push(join(device, draw.pick(devices.slice(0, index))));
  const more = Math.round((devices.length * MEAN_DEGREE) / 2) - (devices.length - 1);
  for (let done = 0; done < more; done += 1) lines.push(join(draw.pick(devices), draw.pick(devices)));
  return lines.filter((line) => line !== undefined);
}

/** Hubs of two to six devices each; the first has one of every island. */
function drawHubs(world: World, devices: readonly SimDevice[], { islands, isHard }: { readonly islands: number; readonly isHard: boolean }): Hub[] {
  const { draw } = world;
  const count = 1 + draw.below(Math.ceil(devices.length / (isHard ? 3 : 10)));
  return Array.from({ length: count }, (_none, index) => {
    const hub = new Hub(world, `hub-${index}`);
    const users = new Set(index === 0 ? devices.slice(0, islands) : []);
    for (let more = 2 + draw.below(5); more > 0; more -= 1) users.add(draw.pick(devices));
    for (const device of users) device.hubs.push(new HubSide(device, hub));
    return hub;
  });
}
