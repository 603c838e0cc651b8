// The door's routes of going over to a newer version (docs/API.md). Rule: whoever asks learns what will happen, and when.

import type { Routes } from '../control/server.ts';
import type { UpgradeWatch } from './upgrade.ts';

/** What runs here. */
export interface VersionAnswer {
  readonly version: string;
  /** Absolute path of the program. */
  readonly program: string;
}

/** @param running the version and program of this agent */
export function makeUpgradeRoutes(running: VersionAnswer, watch: UpgradeWatch): Routes {
  return {
    'GET /version': { kind: 'json', answer: () => Promise.resolve(running) },
    'POST /upgrade': { kind: 'json', answer: async () => ({ upgrade: await watch.ask() }) },
  };
}
