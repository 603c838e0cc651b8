// What the pipes between two agents carried, by their own counts. Rule: a byte that went out once counts once, and beside it each time that it went
// out again; a pipe that ended in between is an error, for its count would be missing.

import type { Device } from '../helpers/device.ts';

export interface Traffic {
  /** Bytes that went into pipes, all of them together. */
  readonly once: number;
  /** Bytes that went out again, for a carrier was left before the other end had them. */
  readonly again: number;
  /** How often an end of a pipe went on over another carrier. */
  readonly changes: number;
}

/** Each device counts what it sent, on the link that it dialled and on the one that it accepted. */
export async function readTraffic(devices: readonly Device[]): Promise<Traffic> {
  const statuses = await Promise.all(devices.map((device) => device.status()));
  const links = statuses.flatMap(({ peers }) => peers.flatMap((peer) => peer.links));
  if (links.length !== 2 * devices.length) throw new Error(`${links.length} ends of links where there should be ${2 * devices.length}`);
  const sum = (count: (link: (typeof links)[number]) => number): number => links.reduce((total, link) => total + count(link), 0);
  return { once: sum(({ sent }) => sent), again: sum(({ again }) => again), changes: sum(({ changes }) => changes) };
}

/** What came between two readings. */
export function trafficSince(before: Traffic, now: Traffic): Traffic {
  return { once: now.once - before.once, again: now.again - before.again, changes: now.changes - before.changes };
}
