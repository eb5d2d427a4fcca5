import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import { freePort } from '../harness/free-port.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { bucket, region } from './s3.ts';

/** Credentials and names that the benchmarks use for Darkroom. */
export const tenant = 'bench';
export const apiKey = 'bench-key-0123456789';
export const authorization = `Bearer ${apiKey}`;
export const operatorKey = 'bench-operator-key-0123456789';
export const keyPrefix = 'darkroom';
export const secretsKey = Buffer.alloc(32, 1);

interface DarkroomOptions {
  readonly role: 'api' | 'worker' | 'webhooks' | 'all';
  readonly logLevel?: 'silent' | 'info';
  readonly concurrency?: number;
  /** Address of the provider. Required for a worker. */
  readonly providerUrl?: string;
  /** Address of the S3 API. Default: files. */
  readonly s3Url?: string;
  /** Data folder, for processes that share their files. Default: a new one. */
  readonly dataDir?: string;
}

/** Creates a data folder, which is removed at the end. */
export async function createDataDir(closers: Closers): Promise<string> {
  return closers.add(await mkdtemp(join(tmpdir(), 'darkroom-bench-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
}

/**
 * Starts one process of Darkroom with one role, in production mode. Limits that would end a benchmark early are raised.
 * All other settings have their defaults.
 */
export async function startDarkroom(
  redis: BenchRedis,
  options: DarkroomOptions,
  closers: Closers,
): Promise<Child> {
  const dataDir = options.dataDir ?? (await createDataDir(closers));
  const port = await freePort();
  const child = await startChild({
    module: '../src/main.js',
    args: ['serve'],
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      ROLES: options.role === 'all' ? 'api,worker,webhooks' : options.role,
      LOG_LEVEL: options.logLevel ?? 'silent',
      REDIS_URL: redis.url,
      REDIS_KEY_PREFIX: keyPrefix,
      DATA_DIR: dataDir,
      ...storageEnvironment(options.s3Url),
      PROVIDER: 'openai',
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: `${options.providerUrl ?? 'http://127.0.0.1:9'}/v1`,
      API_KEYS: `${tenant}:${apiKey}`,
      ADMIN_KEY: operatorKey,
      SECRETS_KEY: secretsKey.toString('base64'),
      MAX_OPEN_JOBS: '100000000',
      WORKER_CONCURRENCY: String(options.concurrency ?? 8),
      WEBHOOK_ALLOW_PRIVATE: 'true',
      // The benchmark sends to one host only.
      WEBHOOK_HOST_PER_MINUTE: '1000000',
      WEBHOOK_TENANT_PER_MINUTE: '1000000',
      SHUTDOWN_GRACE_S: '1',
      // The services that Darkroom is compared with make none.
      THUMBNAILS: 'false',
    },
  });
  return closers.add(child, (each) => each.stop());
}

function storageEnvironment(s3Url: string | undefined): Record<string, string> {
  if (s3Url === undefined) return { STORAGE: 'filesystem' };
  return {
    STORAGE: 's3',
    S3_ENDPOINT: s3Url,
    S3_REGION: region,
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: 'BENCHACCESSKEY',
    S3_SECRET_ACCESS_KEY: 'bench-secret-key',
    S3_FORCE_PATH_STYLE: 'true',
  };
}
