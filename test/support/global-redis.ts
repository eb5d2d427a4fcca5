import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startRedisIn } from './redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Unix socket of the Redis that all test files of a project share. Each file uses its own key prefix. */
    redisPath: string;
  }
}

/** Starts the Redis that the test files of a project share. Returns the function that ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-shared-redis-'));
  const redis = await startRedisIn(dataDir, (line) => console.log(line));
  project.provide('redisPath', redis.path);
  return async () => {
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
