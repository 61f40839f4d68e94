import { defineConfig } from 'vitest/config';

/** What depends on the implementation chosen for each kernel. */
const KERNEL_TESTS = [
  'test/engine/conformance.test.ts',
  'test/engine/half-width.test.ts',
  'test/engine/random-programs.test.ts',
];

export default defineConfig({
  // Node 20 has no `using` declarations; the transformer rewrites them.
  oxc: { target: 'node20' },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Processes, not threads: a crash in the native engine then fails one file, not the whole run.
    pool: 'forks',
    maxWorkers: 2,
    // The report's style is part of its page; Vitest would leave it out.
    css: true,
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'] } },
      // The loader picks the best implementation, so the ones it would never pick on this machine
      // are tested by taking the better ones away.
      {
        extends: true,
        test: {
          name: 'own',
          include: KERNEL_TESTS,
          env: { TORCHTS_ONEDNN: '0', TORCHTS_LAPACK: '0' },
        },
      },
      {
        extends: true,
        test: {
          name: 'baseline',
          include: KERNEL_TESTS,
          env: { TORCHTS_ONEDNN: '0', TORCHTS_ISA: 'baseline' },
        },
      },
    ],
  },
});
