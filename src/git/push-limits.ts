// What git may use while it takes in a push of somebody else's (git-index-pack(1), git-unpack-objects(1)). Rule: a pack of a few KiB can stand for any
// number of bytes, so memory and processor time are bounded by what git may take, not by what was sent.

import type { ServiceStart } from './services.ts';

/**
 * The largest piece of memory that git asks for at once, of two or three: an object that is a delta is made in memory whole. git itself makes none of what is
 * larger than 512 MiB (git-config(1), core.bigFileThreshold), and what is no delta it streams from there on.
 */
const MEMORY = '640m';
/** Processor time of each process: a push of 4 GiB takes a third of it on a slow machine. */
export const CPU_SECONDS = 1200;

/** The same service for a peer that is nobody's own device. `GIT_ALLOC_LIMIT` is git's own (wrapper.c); each thread would take as much as one. */
export function boundPush(start: ServiceStart): ServiceStart {
  return { ...start, config: { ...start.config, 'pack.threads': '1' }, env: { ...start.env, GIT_ALLOC_LIMIT: MEMORY }, cpuSeconds: CPU_SECONDS };
}
