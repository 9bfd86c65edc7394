// One run over the test suites of all workspaces, and over those that run again in another way (on another store). What they
// import is built code, run as Node runs it.
import { defineConfig } from 'vitest/config';
import LongFirst from './tools/sequence.mjs';
import { suites } from './tools/workspaces.mjs';

export default defineConfig({
  test: {
    projects: suites().map(({ dir, name, tests, env }) => ({
      test: {
        name,
        root: dir,
        include: tests,
        env,
        environment: 'node',
        pool: 'forks',
        // Tests start real servers: generous, since a busy machine is no bug.
        testTimeout: 60_000,
        hookTimeout: 60_000,
        expect: { poll: { timeout: 20_000, interval: 20 } },
        server: { deps: { external: [/[\\/]packages[\\/][^\\/]+[\\/]dist[\\/]/] } },
      },
    })),
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    coverage: {
      provider: 'v8',
      include: ['packages/*/dist/**/*.js'],
      reporter: ['text-summary', 'html'],
    },
  },
});
