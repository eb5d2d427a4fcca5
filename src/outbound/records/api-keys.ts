import type { Cluster, Redis } from 'ioredis';
import { ApiKeyRecord } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, OnUnreadable } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/**
 * Creates the store of API keys in Redis, which finds keys by id. It stores secrets only as digests.
 *
 * @param options.onUnreadable called for each record that a list skips.
 */
export function createApiKeys(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): ApiKeys {
  const read = async (id: string) => {
    const text = await redis.get(keys.apiKey(id));
    return text === null ? null : decode(id, text);
  };

  async function readOrSkip(id: string): Promise<ApiKeyRecord | null> {
    try {
      return await read(id);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      onUnreadable?.({ kind: 'api_key', id, error });
      return null;
    }
  }

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
        const records = await Promise.all(ids.map(readOrSkip));
        return records
          .filter((record) => record !== null)
          .filter((record) => tenant === undefined || record.tenant === tenant)
          .sort((a, b) => a.createdAt - b.createdAt);
      }),
  };
}

/** Decodes a key record. @throws AppError `internal` if the text is not a key record. */
function decode(id: string, text: string): ApiKeyRecord {
  try {
    return ApiKeyRecord.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError('internal', { detail: `The record of key ${id} cannot be read.`, cause: error });
  }
}
