import { Cluster, type Redis } from 'ioredis';

/**
 * Returns whether Redis writes an append-only file, on every primary of a cluster. Reads INFO, because managed services
 * forbid CONFIG. Returns `null` if the server does not report it.
 */
export async function hasAppendOnlyFile(redis: Redis | Cluster): Promise<boolean | null> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  const states = await Promise.all(nodes.map(readState));
  if (states.some((state) => state === undefined)) return null;
  return states.every((state) => state === '1');
}

async function readState(node: Redis): Promise<string | undefined> {
  const info = await node.info('persistence').catch(() => '');
  return /^aof_enabled:([01])/m.exec(info)?.[1];
}
