// Every kind of test is a project of its own; `architecture.spec.ts` fails when a spec file is in none.

import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({
  test: { name, include, environment: 'node' as const, testTimeout: 20_000, hookTimeout: 60_000, ...options },
});

/** They belong to the long run: routers between machines take nftables and the right to make network namespaces; the others take minutes. */
const longRun = ['networks', 'long'].map((name) =>
  project(name, [`test/${name}/**/*.spec.ts`], { testTimeout: 300_000, hookTimeout: 180_000, fileParallelism: false }),
);

export default defineConfig({
  test: {
    projects: [
      project('unit', ['test/unit/**/*.spec.ts']),
      project('property', ['test/property/**/*.spec.ts'], { testTimeout: 60_000 }),
      project('integration', ['test/integration/**/*.spec.ts'], { testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false }),
      project('matrix', ['test/matrix/**/*.spec.ts'], { testTimeout: 240_000, hookTimeout: 120_000, fileParallelism: false }),
      ...(process.env.XMPP_PROFILES === 'all' ? longRun : []),
    ],
  },
});
