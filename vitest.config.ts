import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two workers: the suites start real servers and child processes of their own.
    maxWorkers: 2,
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/*.test.ts', 'test/{unit,contract,integration}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/{e2e,chaos}/**/*.test.ts'],
          // These kill processes and cut connections, and promise a time within which all is well again; on a busy machine
          // one may pass. A second failure counts.
          retry: 1,
        },
      },
    ],
  },
});
