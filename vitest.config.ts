import { defineConfig } from 'vitest/config';
import { LongFilesFirst } from './test/support/long-files-first.ts';

const redis = 'test/support/global-redis.ts';
const service = 'test/support/global-service.ts';
const longCalls = 'test/slow/openai-long-calls.test.ts';
const apiDocument = 'test/support/global-api-document.ts';

/**
 * Number of files at a time. Most files wait for timeouts and for processes. The projects of `npm test` are one group: a free
 * worker continues with the next project instead of waiting for the last file of the current one.
 */
const maxWorkers = 4;

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The files of a worker share the modules they import: loading the service again for each file costs two seconds of
    // CPU time. No module of the service keeps state, so files cannot influence each other.
    isolate: false,
    unstubEnvs: true,
    // A busy machine needs seconds for what usually takes milliseconds.
    expect: { poll: { timeout: 10_000 } },
    sequence: { sequencer: LongFilesFirst },
    // Transformed modules stay in node_modules, for the other projects and for the next run.
    experimental: { fsModuleCache: true },
    projects: [
      {
        extends: true,
        test: {
          // Rules about the sources. They are part of `npm run check`.
          name: 'rules',
          include: ['test/architecture.test.ts'],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/deployment.test.ts', 'test/unit/**/*.test.ts'],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/{contract,integration}/**/*.test.ts'],
          globalSetup: [redis, service],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: [redis, service, apiDocument],
          maxWorkers,
          // These files kill processes and cut connections. On a busy machine a recovery may exceed its limit once.
          retry: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['test/slow/**/*.test.ts'],
          exclude: [longCalls],
          globalSetup: [redis, service],
          // Some of these files state times within which a service recovers.
          maxWorkers: 3,
          // Longer than two waits for a page of a browser, whose errors say more.
          testTimeout: 180_000,
          sequence: { groupOrder: 1 },
          retry: 1,
        },
      },
      {
        extends: true,
        test: {
          // It waits for calls of five minutes and needs no processor, so it runs beside the other slow tests.
          name: 'long',
          include: [longCalls],
          globalSetup: [redis, service],
          sequence: { groupOrder: 2 },
          retry: 1,
        },
      },
    ],
  },
});
