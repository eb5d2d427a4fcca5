import type { RedisClient } from '../../src/lib/redis/redis.ts';

/**
 * Reads all data of a deployment. Returns the function that restores it, as a promoted replica does that missed the later
 * writes.
 */
export async function takeSnapshot(redis: RedisClient, prefix: string): Promise<() => Promise<void>> {
  const entries = await Promise.all(
    (await keysOf(redis, prefix)).map(async (key) => {
      const [value, ttlMs] = await Promise.all([redis.dumpBuffer(key), redis.pttl(key)]);
      return { key, value, ttlMs: Math.max(0, ttlMs) };
    }),
  );
  return async () => {
    const later = await keysOf(redis, prefix);
    if (later.length > 0) await redis.unlink(...later);
    for (const { key, value, ttlMs } of entries) if (value) await redis.restore(key, ttlMs, value);
  };
}

async function keysOf(redis: RedisClient, prefix: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `*${prefix}*`, 'COUNT', 1000);
    found.push(...page);
    cursor = next;
  } while (cursor !== '0');
  return found;
}
