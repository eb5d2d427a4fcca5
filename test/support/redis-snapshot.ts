import type { RedisClient } from '../../src/lib/redis/redis.ts';
import { keysWith } from './redis-keys.ts';

/**
 * Reads all data of a deployment. Returns the function that restores it, as a promoted replica does that missed the later
 * writes.
 */
export async function takeSnapshot(redis: RedisClient, prefix: string): Promise<() => Promise<void>> {
  const entries = await Promise.all(
    (await keysWith(redis, prefix)).map(async (key) => {
      const [value, ttlMs] = await Promise.all([redis.dumpBuffer(key), redis.pttl(key)]);
      return { key, value, ttlMs: Math.max(0, ttlMs) };
    }),
  );
  return async () => {
    const later = await keysWith(redis, prefix);
    if (later.length > 0) await redis.unlink(...later);
    for (const { key, value, ttlMs } of entries) if (value) await redis.restore(key, ttlMs, value);
  };
}
