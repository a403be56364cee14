import { defineConfig } from 'vitest/config';

/** `npm run test:nightly` runs so many times the cases of every property (test/setup.ts), within as much more time. */
const runs = Math.max(1, Number(process.env['COMMONWEIGHT_TEST_RUNS'] ?? 1));

const shared = {
  // no retries: a test that fails once in a hundred runs is a bug that was found
  retry: 0,
  setupFiles: ['test/setup.ts'],
  hookTimeout: 240_000,
  // the tests of one file share heavy things (a model, a network); files run beside each other on two cores
  pool: 'forks' as const,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 60_000 * runs,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          // whole networks with four processes each: one at a time, after everything else
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
