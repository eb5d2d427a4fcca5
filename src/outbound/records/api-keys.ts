import type { Cluster, Redis } from 'ioredis';
import { ApiKeyRecord } from '../../domain/api-key.ts';
import type { ApiKeys } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** API keys in Redis: found by id, their secrets only as digests. */
export function createApiKeys(redis: Redis | Cluster, keys: Keys): ApiKeys {
  const read = async (id: string) => {
    const text = await redis.get(keys.apiKey(id));
    return text === null ? null : ApiKeyRecord.parse(JSON.parse(text));
  };
  return {
    get: (id) => translated(() => read(id)),
    put: (record) =>
      translated(async () => {
        await redis.set(keys.apiKey(record.id), JSON.stringify(record));
        await redis.sadd(keys.apiKeys, record.id);
        await redis.publish(keys.keyChanged, record.id);
      }),
    list: (tenant) =>
      translated(async () => {
        const ids = await redis.smembers(keys.apiKeys);
        const records = await Promise.all(ids.map(read));
        return records
          .filter((record) => record !== null)
          .filter((record) => tenant === undefined || record.tenant === tenant)
          .sort((a, b) => a.createdAt - b.createdAt);
      }),
  };
}
