import type { Cluster, Redis } from 'ioredis';
import { checkEviction, explainRefusal } from './probe-store.ts';

/**
 * Checks that Redis accepts writes and evicts no key, without writing anything. Redis refuses `UNLINK` of an absent key
 * whenever it refuses writes, except if the memory is full.
 *
 * @throws Error with the cause and the remedy.
 */
export async function inspectStore(redis: Redis | Cluster, keyPrefix: string): Promise<void> {
  await redis.unlink(`${keyPrefix}:absent`).catch(explainRefusal);
  const info = await redis.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  if (field('maxmemory') > 0 && field('used_memory') >= field('maxmemory')) {
    throw new Error('memory is full, so Redis refuses writes. Raise maxmemory');
  }
  await checkEviction(redis);
}
