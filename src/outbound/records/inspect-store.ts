import type { Cluster, Redis } from 'ioredis';
import { checkEviction, explainRefusal } from './probe-store.ts';
import { fullnessOf, readMemory } from './read-memory.ts';

/**
 * Checks that Redis accepts writes and evicts no key, without writing anything. Redis refuses `UNLINK` of an absent key
 * whenever it refuses writes, except if the memory is full.
 *
 * @throws Error with the cause and the remedy.
 */
export async function inspectStore(redis: Redis | Cluster, keyPrefix: string): Promise<void> {
  await redis.unlink(`${keyPrefix}:absent`).catch(explainRefusal);
  if (fullnessOf(await readMemory(redis)) >= 1) {
    throw new Error('memory is full, so Redis refuses writes. Raise maxmemory');
  }
  await checkEviction(redis);
}
