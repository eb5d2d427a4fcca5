import { access, constants, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { type Config, describeConfig } from '../config.ts';
import { createKeyText, digestHex } from '../lib/api-key-text.ts';
import { createClosers } from '../lib/closers.ts';
import { chooseSocketPath } from '../lib/managed-redis/socket-path.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../lib/redis.ts';
import { createApiKeys } from '../outbound/records/api-keys.ts';
import { createKeys } from '../outbound/records/keys.ts';
import { probeStore } from '../outbound/records/probe-store.ts';
import type { Examination } from '../usecases/diagnose.ts';
import { createManageKeys, type ManageKeys } from '../usecases/manage-keys.ts';
import { composeProvider, composeStorage, openRedis } from './adapters.ts';

const reachMs = 3_000;

/** The Redis that the tools talk to: the configured one, else that of a `dev` in the same folder. */
async function redisTargetOf(config: Config): Promise<string> {
  return config.REDIS_URL ?? (await chooseSocketPath(resolve(config.DATA_DIR, 'redis')));
}

async function withRedis<T>(
  config: Config,
  log: Logger,
  work: (redis: RedisClient) => Promise<T>,
): Promise<T> {
  const redis = openRedis(
    createProducerRedis,
    config,
    { redisTarget: await redisTargetOf(config) },
    log,
    'tool',
  );
  try {
    if (!(await whenRedisReady(redis, reachMs))) {
      throw new Error('Redis cannot be reached. Set REDIS_URL, or start `darkroom dev` in this folder.');
    }
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Runs work with the keys of the deployment. */
export function withKeys<T>(config: Config, log: Logger, work: (keys: ManageKeys) => Promise<T>): Promise<T> {
  return withRedis(config, log, (redis) =>
    work(
      createManageKeys({
        apiKeys: createApiKeys(redis, createKeys(config.REDIS_KEY_PREFIX)),
        createKeyText,
        digest: digestHex,
        clock: Date.now,
      }),
    ),
  );
}

/** What `doctor` looks at. */
export function composeExaminations(config: Config, log: Logger): Examination[] {
  return [
    {
      name: 'Node',
      run: async () => `${process.version} on ${process.platform}`,
    },
    {
      name: 'configuration',
      run: async () =>
        `${describeConfig(config).filter((each) => each.source !== 'unset').length} values, no faults`,
    },
    { name: 'data folder', run: () => examineFolder(config.DATA_DIR) },
    { name: 'Redis', run: () => withRedis(config, log, (redis) => examineRedis(redis, config)) },
    { name: 'storage', run: () => examineStorage(config) },
    { name: 'provider', run: () => examineProvider(config) },
  ];
}

async function examineFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  await access(path, constants.W_OK);
  return `${path} is writable`;
}

async function examineRedis(redis: RedisClient, config: Config): Promise<string> {
  await probeStore(redis, config.REDIS_KEY_PREFIX);
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(.*)\\r?$`, 'm').exec(info)?.[1] ?? 'unknown';
  if (field('aof_enabled') === '0') {
    throw new Error(
      'takes writes, but appendonly is off: accepted jobs are lost when it restarts. Set appendonly yes',
    );
  }
  return `version ${field('redis_version')}, takes writes, appendonly on, ${field('used_memory_human')} used`;
}

async function examineStorage(config: Config): Promise<string> {
  const closers = createClosers(() => {});
  try {
    const storage = composeStorage(config, { secretsKey: Buffer.alloc(32) }, closers);
    await storage.check();
    return config.STORAGE === 's3'
      ? `bucket ${config.S3_BUCKET} is reachable`
      : join(config.DATA_DIR, 'images');
  } finally {
    await closers.close();
  }
}

async function examineProvider(config: Config): Promise<string> {
  if (!config.OPENAI_API_KEY) return 'studio: offline pictures; set OPENAI_API_KEY for real ones';
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl } = config;
  const provider = composeProvider(config, { name: 'openai', apiKey, baseUrl });
  try {
    return await provider.check();
  } finally {
    await provider.close();
  }
}
