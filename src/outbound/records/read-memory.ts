import type { Cluster, Redis } from 'ioredis';
import type { StoreMemory } from '../../domain/ports.ts';
import { primariesOf } from './primaries.ts';

/**
 * Returns the memory of Redis, on a cluster that of its fullest primary. Primaries that do not respond are skipped.
 *
 * @throws the error of a primary if none responds.
 */
export async function readMemory(redis: Redis | Cluster): Promise<StoreMemory> {
  const all = await readMemories(redis);
  return all.reduce((fullest, each) => (fullnessOf(each) > fullnessOf(fullest) ? each : fullest));
}

/**
 * Returns the memory of Redis, on a cluster that of each primary that responds. Reads INFO, because managed services forbid
 * CONFIG.
 *
 * @throws the error of a primary if none responds.
 */
export async function readMemories(redis: Redis | Cluster): Promise<StoreMemory[]> {
  const results = await Promise.allSettled(primariesOf(redis).map(readNode));
  const all = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (all.length > 0) return all;
  throw results.find((result) => result.status === 'rejected')?.reason ?? new Error('Connection is closed.');
}

/** Returns the used part of the memory; 0 without a limit. */
export function fullnessOf({ usedBytes, limitBytes }: StoreMemory): number {
  return limitBytes === null ? 0 : usedBytes / limitBytes;
}

async function readNode(node: Redis): Promise<StoreMemory> {
  const info = await node.info('memory');
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { usedBytes: field('used_memory'), limitBytes: field('maxmemory') || null };
}
