import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Tests here kill processes and cut connections; on a busy machine a deadline of one may pass. A second failure counts.
    retry: 1,
    // Two workers: the suites start real servers and child processes of their own.
    maxWorkers: 2,
  },
});
