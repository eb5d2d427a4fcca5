import type { Cluster, Redis } from 'ioredis';
import { describeConnectionFault } from '../../lib/redis/connection-fault.ts';
import { isRedisOutage } from '../../lib/redis/redis-errors.ts';

/** Keys and channels of a check. */
export interface PermissionProbe {
  /** Key that a script writes. */
  readonly key: string;
  /** Channel to which the script publishes an empty message, which has no effect. */
  readonly channel: string;
  /** Prefix of the keys of a queue, for a process that takes tasks from queues. */
  readonly queuePrefix: string | undefined;
}

const source = `
  redis.call('SET', KEYS[1], '1', 'PX', 60000)
  return redis.call('PUBLISH', ARGV[1], '')`;

/**
 * Checks that the Redis user may do what jobs need besides plain reads and writes: run scripts, publish, subscribe, and wait
 * for tasks. Without these permissions, the service would accept jobs that never end.
 *
 * @throws Error that names the missing permission.
 */
export async function checkPermissions(
  { redis, subscriber }: { redis: Redis | Cluster; subscriber: Redis | Cluster },
  { key, channel, queuePrefix }: PermissionProbe,
): Promise<void> {
  try {
    await redis.eval(source, 1, key, channel);
    // A repeated subscription changes nothing.
    await subscriber.subscribe(channel);
    if (queuePrefix !== undefined) await waitForNothing(redis, queuePrefix);
  } catch (error) {
    throw isRedisOutage(error) ? new Error(describeConnectionFault(error), { cause: error }) : error;
  }
}

/** Runs the blocking reads of the queues inside a transaction, where they return at once. */
async function waitForNothing(redis: Redis | Cluster, prefix: string): Promise<void> {
  const replies = await redis
    .multi()
    .blpop(`${prefix}:probe-list`, 0)
    .bzpopmin(`${prefix}:probe-set`, 0)
    .exec();
  const failed = replies?.find(([error]) => error)?.[0];
  if (failed) throw failed;
}
