// One run over the test suites of all workspaces. What they import is built code, run as Node runs it.
import { defineConfig } from 'vitest/config';
import { filesIn, workspaces } from './tools/workspaces.mjs';

const suites = workspaces().filter(({ dir }) => filesIn(`${dir}/test`).some((file) => file.endsWith('.test.ts')));

export default defineConfig({
  test: {
    projects: suites.map(({ dir, manifest }) => ({
      test: {
        name: manifest.name,
        root: dir,
        include: ['test/**/*.test.ts'],
        environment: 'node',
        pool: 'forks',
        // Tests start real servers: generous, since a busy machine is no bug.
        testTimeout: 30_000,
        hookTimeout: 60_000,
        server: { deps: { external: [/[\\/]packages[\\/][^\\/]+[\\/]dist[\\/]/] } },
      },
    })),
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['packages/*/dist/**/*.js'],
      reporter: ['text-summary', 'html'],
    },
  },
});
