// What must hold while nothing is broken: a commit reaches everybody at once, with no digest, and with no more messages than that needs.
// Rule: no time passes but what the messages take.

import { sameMaps, sameTips } from './check.ts';
import type { SimDevice } from './device.ts';
import type { Graph } from './map.ts';
import type { People } from './people.ts';
import type { World } from './world.ts';

/** Maps that one device publishes at most because of one commit elsewhere. */
const MAX_ROUNDS = 2;

/** One commit in a quiet world, then one after a line was cut and is whole again without anybody's notice. */
export function checkLive(world: World, graph: Graph, people: People): string[] {
  const [device] = graph.devices;
  return device === undefined ? [] : [...afterCommit(world, graph, { people, device }), ...afterCut(world, graph, { people, device })];
}

/** What is wrong after a commit on `device`, in a world that was quiet. */
export function afterCommit(world: World, graph: Graph, { people, device }: { readonly people: People; readonly device: SimDevice }): string[] {
  const before = graph.devices.map(({ published }) => published);
  people.commit(device);
  world.settle(2_000 * graph.devices.length);
  const most = Math.max(...graph.devices.map(({ published }, index) => published - (before[index] ?? 0)));
  const wrong = [...sameTips(graph), ...sameMaps(graph), ...(most > MAX_ROUNDS ? [`a device published ${most} maps because of one commit`] : [])];
  return wrong.map((words) => `after a commit, without a digest: ${words}`);
}

/** A device that could not be reached is told by an announcement. */
function afterCut(world: World, graph: Graph, { people, device }: { readonly people: People; readonly device: SimDevice }): string[] {
  const cut = [...device.lines.values()];
  for (const { line } of cut) line.cut();
  people.commit(device);
  world.settle(2_000 * graph.devices.length);
  for (const { line } of cut) line.mend();
  people.commit(device);
  world.settle(2_000 * graph.devices.length);
  return sameTips(graph).map((words) => `after a cut that nobody noticed to be over: ${words}`);
}
