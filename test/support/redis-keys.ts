import type { RedisClient } from '../../src/lib/redis/redis.ts';

/** Returns all keys that contain a text, such as the prefix of a deployment. */
export async function keysWith(redis: RedisClient, text: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `*${text}*`, 'COUNT', 1000);
    found.push(...page);
    cursor = next;
  } while (cursor !== '0');
  return found;
}
