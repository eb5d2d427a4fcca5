import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { bucket, region } from './s3.ts';

/** Starts the API of the tutorial service. */
export async function startTutorialApi(redis: BenchRedis, closers: Closers): Promise<Child> {
  const child = await startChild({ module: 'tutorial/api.js', env: { REDIS_PATH: redis.path } });
  return closers.add(child, (each) => each.stop());
}

/** Starts the worker of the tutorial service. */
export async function startTutorialWorker(
  redis: BenchRedis,
  options: { concurrency: number; providerUrl: string; s3Url: string },
  closers: Closers,
): Promise<Child> {
  const child = await startChild({
    module: 'tutorial/worker.js',
    env: {
      REDIS_PATH: redis.path,
      CONCURRENCY: String(options.concurrency),
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: `${options.providerUrl}/v1`,
      AWS_ACCESS_KEY_ID: 'BENCHACCESSKEY',
      AWS_SECRET_ACCESS_KEY: 'bench-secret-key',
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: options.s3Url,
      S3_BUCKET: bucket,
    },
  });
  return closers.add(child, (each) => each.stop());
}
