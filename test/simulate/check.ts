// What must hold in the end. Rule: every complaint names the devices, the branch and the commits that differ.

import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import { DIGEST_EVERY_MS } from './contacts.ts';
import type { SimDevice } from './device.ts';
import type { Graph } from './map.ts';
import type { People } from './people.ts';
import type { World } from './world.ts';

/** Complaints beyond this are not listed. */
const MAX_LISTED = 5;

/** Everything that is wrong with a world that is quiet. */
export function checkWorld(world: World, graph: Graph, people: People): string[] {
  const wrong = [
    ...graph.devices.flatMap((device) => device.complaints),
    ...sameTips(graph),
    ...nothingLost(world, graph, people),
    ...(isMixed(graph) ? [] : nothingBack(world, graph, people)),
    ...sameBooks(graph),
    ...sameMaps(graph),
    ...silence(world, graph),
  ];
  return wrong.slice(0, MAX_LISTED);
}

function isMixed({ devices }: Graph): boolean {
  return devices.some(({ policy }) => policy.merge !== 'merge' || policy.rewrite !== 'follow');
}

/** Devices that merge and are joined by others that do, or by a hub, in groups. */
function groups({ devices }: Graph): SimDevice[][] {
  const seen = new Set<SimDevice>();
  const isMerging = ({ policy }: SimDevice): boolean => policy.merge === 'merge' && policy.rewrite === 'follow';
  const near = ({ lines, hubs }: SimDevice): SimDevice[] => [
    ...[...lines.values()].map(({ to }) => to),
    ...hubs.flatMap(({ hub }) => hub.sides.map(({ device }) => device)),
  ];
  return devices.filter(isMerging).flatMap((first) => {
    if (seen.has(first)) return [];
    const group = [first];
    seen.add(first);
    for (const member of group) {
      for (const next of near(member).filter((each) => isMerging(each) && !seen.has(each))) {
        seen.add(next);
        group.push(next);
      }
    }
    return [group];
  });
}

/** Within a group every branch is at one commit. */
export function sameTips(graph: Graph): string[] {
  return groups(graph).flatMap((group) => {
    const names = new Set(group.flatMap(({ disk }) => [...disk.branches.keys()]));
    return [...names].flatMap((ref) => {
      const tips = new Map<Oid | undefined, number>();
      for (const { disk } of group) tips.set(disk.branches.get(ref), (tips.get(disk.branches.get(ref)) ?? 0) + 1);
      for (const { hub } of group.flatMap(({ hubs }) => hubs)) tips.set(hub.refs.get(ref), (tips.get(hub.refs.get(ref)) ?? 0) + 1);
      const said = [...tips].map(([oid, count]) => `${count} at ${oid?.slice(0, 12) ?? 'none'}`).join(', ');
      return tips.size === 1 ? [] : [`${ref} of ${group.length} joined devices that merge, and their hubs: ${said}`];
    });
  });
}

/** Every commit that nobody left on purpose is in a branch, or kept. */
function nothingLost({ commits }: World, { devices }: Graph, { made, left }: People): string[] {
  const held = new Map<RefName, Set<Oid>>();
  for (const { disk } of devices) {
    for (const [ref, oid] of disk.branches) {
      const tips = held.get(ref) ?? new Set<Oid>();
      held.set(ref, tips.add(oid));
    }
  }
  const kept = [...new Set(devices.flatMap(({ disk }) => [...disk.kept]))];
  const isKnown = ({ ref, oid }: { readonly ref: RefName; readonly oid: Oid }): boolean =>
    [...(held.get(ref) ?? [])].some((tip) => commits.isWithin(oid, tip)) || left.has(`${ref} ${oid}`) || kept.some((tip) => commits.isWithin(oid, tip));
  return made.filter((each) => !isKnown(each)).map(({ ref, oid }) => `${oid} of ${ref} is in no branch, was not left, and is not kept`);
}

/**
 * What was left is the tip of nothing again, unless a person took it back, a hub held it, or all that there is was left. What somebody built on
 * is in what he built.
 */
function nothingBack({ commits }: World, graph: Graph, { left, taken }: People): string[] {
  if (graph.hubs.length > 0) return [];
  return groups(graph).flatMap(([device]) => [...(device?.disk.branches ?? [])].flatMap(([ref, tip]) => {
    const solids = commits.isAutomatic(tip) ? commits.parents(tip) : [tip];
    const back = solids.filter((oid) => left.has(`${ref} ${oid}`));
    const wrong = back.length < solids.length ? back.filter((oid) => !taken.has(`${ref} ${oid}`)) : [];
    return wrong.length === 0 ? [] : [`${ref} holds ${wrong.join(', ')} again, which was left`];
  }));
}

/** Where lines alone join devices that all merge, all know the same of what was left. */
function sameBooks(graph: Graph): string[] {
  if (graph.hubs.length > 0 || groups(graph).length !== 1) return [];
  const books = new Set(graph.devices.map(({ disk }) => disk.book.oid));
  return books.size === 1 ? [] : [`${books.size} different books of what was left`];
}

/** Two that talk to one another hold the same maps of everybody whose maps both use. */
export function sameMaps({ devices }: Graph): string[] {
  const newest = (device: SimDevice, of: DeviceId): number => device.disk.maps.get(of)?.counter ?? 0;
  return devices.flatMap((device) => [...device.lines.values()].flatMap(({ to }) => {
    const both = [...device.pins.keys()].filter((of) => of === to.id || to.pins.has(of));
    const differ = both.filter((of) => newest(device, of) !== newest(to, of));
    return differ.map((of) => `${device.id.slice(0, 8)} and ${to.id.slice(0, 8)} hold different maps of ${of.slice(0, 8)}`);
  }));
}

/** Two more digests tell nobody anything. */
function silence(world: World, { devices }: Graph): string[] {
  const before = { ...world.counts };
  const limit = 10_000 * devices.length;
  if (!world.pass(2 * DIGEST_EVERY_MS, limit)) return ['there is no end of what follows a digest where nothing is new'];
  world.settle(100 * devices.length);
  const { counts } = world;
  const [published, offers] = [counts.published - before.published, counts.offers - before.offers];
  return published + offers === 0 ? [] : [`quiet, and yet ${published} maps were published and ${offers} offers made`];
}
