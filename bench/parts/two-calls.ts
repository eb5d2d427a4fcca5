import { Pool } from 'undici';
import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import { bucket } from './s3.ts';
import type { Environment } from './service.ts';

/** Address of the provider and number of bytes to upload. */
export interface CalledAround extends Environment {
  readonly imageSizeBytes: number;
}

/** The provider call and the upload without a service, in a separate process. */
export interface TwoCalls {
  readonly process: Child;
  /** Generates one image. Resolves when the storage has it. */
  make(): Promise<void>;
}

export async function startTwoCalls(environment: CalledAround, closers: Closers): Promise<TwoCalls> {
  const child = closers.add(
    await startChild({ module: 'parts/two-calls-server.js', env: environmentOf(environment) }),
    (each) => each.stop(),
  );
  const pool = closers.add(new Pool(child.url), (each) => each.destroy());
  return {
    process: child,
    async make() {
      const { statusCode, body } = await pool.request({ method: 'POST', path: '/' });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`an image was not made: ${statusCode} ${text}`);
    },
  };
}

/** Starts a worker that makes only the two calls for every job in the tutorial queue. */
export async function startTwoCallsWorker(
  environment: CalledAround,
  concurrency: number,
  closers: Closers,
): Promise<Child> {
  const child = await startChild({
    module: 'parts/two-calls-worker.js',
    env: {
      ...environmentOf(environment),
      REDIS_PATH: environment.redis.path,
      CONCURRENCY: String(concurrency),
    },
  });
  return closers.add(child, (each) => each.stop());
}

const environmentOf = ({ providerUrl, s3Url, imageSizeBytes }: CalledAround) => ({
  PROVIDER_URL: providerUrl,
  BUCKET_URL: `${s3Url}/${bucket}`,
  IMAGE_BYTES: String(imageSizeBytes),
});
