import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Node 20 has no `using` declarations; the transformer rewrites them.
  oxc: { target: 'node20' },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Processes, not threads: a crash in the native engine then fails one file, not the whole run.
    pool: 'forks',
    maxWorkers: 2,
  },
});
