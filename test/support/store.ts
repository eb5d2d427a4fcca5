import { afterAll, inject } from 'vitest';
import { ulid } from '../../src/lib/ids.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { keysWith } from './redis-keys.ts';

/** The shared Redis with the key prefix of one test file. Its keys are deleted after the tests. */
export interface TestStore {
  redis: RedisClient;
  prefix: string;
  keys: ReturnType<typeof createKeys>;
  /** Returns all keys with the prefix. */
  keysLeft(): Promise<string[]>;
}

/** Connects a test file to the shared Redis until its tests have ended. */
export async function connectTestStore(): Promise<TestStore> {
  const redis = createProducerRedis(inject('redisPath'), { onError: () => undefined });
  const prefix = `test-${ulid(Date.now()).toLowerCase()}`;
  if (!(await whenRedisReady(redis, 10_000))) throw new Error('the shared Redis does not respond');
  const keysLeft = () => keysWith(redis, prefix);
  afterAll(async () => {
    const left = await keysLeft();
    if (left.length > 0) await redis.unlink(...left);
    redis.disconnect();
  });
  return { redis, prefix, keys: createKeys(prefix), keysLeft };
}

let tenants = 0;

/** Returns the name of a tenant that no other test uses. */
export function freshTenant(): string {
  tenants += 1;
  return `t${tenants}`;
}
