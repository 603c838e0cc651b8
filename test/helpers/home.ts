// A home of an agent in a folder of its own. Rule: prepared as the agent prepares it, gone when the spec file is done.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { findHome, prepareHome } from '../../src/home/paths.ts';
import type { Home } from '../../src/home/paths.ts';
import { makeFolder } from './repo.ts';

/** A prepared, empty home. */
export async function makeHome(): Promise<Home> {
  const home = findHome({ GIT_XMPP_HOME: join(makeFolder(), 'home') });
  await prepareHome(home);
  return home;
}

/** The permission bits of a file or folder. */
export function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}
