// Where this machine's packets go by default, as far as that can be read for nothing. Rule: a look of some microseconds; where there is no such file, as on
// macOS and Windows, only addresses tell of another network.

import { closeSync, openSync, readSync } from 'node:fs';
import { parseDefaultRoutes } from './network-format.ts';

const TABLE = '/proc/net/route';
/** Default routes stand first; a router's table may have a million more. */
const READ_BYTES = 16 * 1024;

/** A text that is another one when a default route is. */
export function readDefaultRoutes(path = TABLE): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(READ_BYTES);
      return parseDefaultRoutes(bytes.toString('latin1', 0, readSync(file, bytes)));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
