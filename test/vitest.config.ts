// Every kind of test is a project of its own; `architecture.spec.ts` fails when a spec file is in none.

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  test: { name, include, environment: 'node' as const, testTimeout: 20_000, hookTimeout: 60_000, ...options },
});

/** Real servers and agents wait for what takes its time, so one at a time, and after those that take what processors there are. */
const ONE_BY_ONE = { fileParallelism: false, sequence: { groupOrder: 1 } };
const SIDE_BY_SIDE = { maxWorkers: availableParallelism() };

/** They belong to the long run: routers between machines take nftables and the right to make network namespaces; the others take minutes. */
const longRun = ['networks', 'long'].map((name) =>
  project(name, [`test/${name}/**/*.spec.ts`], { testTimeout: 300_000, hookTimeout: 180_000, ...ONE_BY_ONE }),
);

export default defineConfig({
  test: {
    projects: [
      project('unit', ['test/unit/**/*.spec.ts'], SIDE_BY_SIDE),
      project('property', ['test/property/**/*.spec.ts'], { testTimeout: 60_000, ...SIDE_BY_SIDE }),
      project('integration', ['test/integration/**/*.spec.ts'], { testTimeout: 180_000, hookTimeout: 120_000, ...ONE_BY_ONE }),
      project('matrix', ['test/matrix/**/*.spec.ts'], { testTimeout: 240_000, hookTimeout: 120_000, ...ONE_BY_ONE }),
      ...(process.env.XMPP_PROFILES === 'all' ? longRun : []),
    ],
  },
});
