import { Cluster, type Redis } from 'ioredis';
import type { StoreMemory } from '../../domain/ports.ts';

/**
 * Returns the memory of Redis, on a cluster that of its fullest primary. Reads INFO, because managed services forbid CONFIG.
 *
 * @throws the error of a node that does not respond.
 */
export async function readMemory(redis: Redis | Cluster): Promise<StoreMemory> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  const all = await Promise.all(nodes.map(readNode));
  return all.reduce((fullest, each) => (fullnessOf(each) > fullnessOf(fullest) ? each : fullest));
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
