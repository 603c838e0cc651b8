// What this machine's network looks like, as far as that can be read for nothing: its addresses, and where its packets go by default. Rule: a look of some
// microseconds; what cannot be read at the moment, as when no descriptor is left, is as it was; without a table of routes, as on macOS and Windows, only addresses count.

import { closeSync, openSync, readSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Interfaces } from './wake-machine.ts';
import { parseDefaultRoutes } from './network-format.ts';

const TABLE = '/proc/net/route';
/** Default routes stand first; a router's table may have a million more. */
const READ_BYTES = 16 * 1024;

/** The machine's addresses. */
export function interfacesOfMachine(read: () => Interfaces = networkInterfaces): () => Interfaces {
  return lastKnown(read, {});
}

/** A text that is another one when a default route is. */
export function routesOfMachine(path = TABLE): () => string {
  return lastKnown(() => readDefaultRoutes(path), '');
}

function lastKnown<T>(read: () => T, first: T): () => T {
  let known = first;
  return () => {
    try {
      known = read();
    } catch {
      // It is asked again in a moment, and nothing has changed until then.
    }
    return known;
  };
}

function readDefaultRoutes(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(READ_BYTES);
    return parseDefaultRoutes(bytes.toString('latin1', 0, readSync(file, bytes)));
  } finally {
    closeSync(file);
  }
}
