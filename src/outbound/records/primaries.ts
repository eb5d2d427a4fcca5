import { Cluster, type Redis } from 'ioredis';

/** Returns a connection to every server that holds keys: the primaries of a cluster, or the only server. */
export function primariesOf(redis: Redis | Cluster): Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}
