import type { Cluster, Redis } from 'ioredis';
import { primariesOf } from './primaries.ts';

/**
 * Returns whether Redis writes an append-only file, on every primary of a cluster. Reads INFO, because managed services
 * forbid CONFIG. Returns `null` if the server does not report it.
 */
export async function hasAppendOnlyFile(redis: Redis | Cluster): Promise<boolean | null> {
  const states = await Promise.all(primariesOf(redis).map(readState));
  if (states.includes('0')) return false;
  // A cluster that is not connected has no primaries.
  return states.length > 0 && states.every((state) => state === '1') ? true : null;
}

async function readState(node: Redis): Promise<string | undefined> {
  const info = await node.info('persistence').catch(() => '');
  return /^aof_enabled:([01])/m.exec(info)?.[1];
}
