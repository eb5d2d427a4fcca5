import type { Cluster, Redis } from 'ioredis';
import { isHostDestination } from '../../../../lib/ids.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';

interface Release {
  readonly tenant: string;
  readonly destinationKey: string;
  /** Name of the run. */
  readonly run: string;
  readonly nowMs: number;
}

/** Retention of the health of an idle endpoint, in milliseconds. Longer than any schedule. */
export const healthTtlMs = 7 * 24 * 3_600_000;
/**
 * Retention of the health of an idle host that jobs named, in milliseconds. Any number of jobs may name hosts, so it is only
 * as long as the longest wait that such a host can ask for.
 */
const hostHealthTtlMs = 3_600_000;

const idleTtlMs = (destinationKey: string) =>
  isHostDestination(destinationKey) ? hostHealthTtlMs : healthTtlMs;

/**
 * KEYS 1 destination, 2 delivery queue, 3 destinations with pending deliveries
 * ARGV 1 name of the run, 2 now, 3 destination key, 4 retention of an idle destination's health in ms
 * Returns the time at which the next run is due. Returns nothing if no delivery is pending, if another run is scheduled by
 * then, or if the run lost the lease.
 */
const source = `
if redis.call('HGET', KEYS[1], 'leaseRun') ~= ARGV[1] then return false end
redis.call('HDEL', KEYS[1], 'leaseRun', 'leaseUntil', 'interruptedRun')
redis.call('HINCRBY', KEYS[1], 'leaseEpoch', 1)
local now, destination_key = tonumber(ARGV[2]), ARGV[3]
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if #first == 0 then
  redis.call('ZREM', KEYS[3], destination_key)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return false
end
local due = math.max(tonumber(first[2]), tonumber(redis.call('HGET', KEYS[1], 'blockedUntil') or '0'))
redis.call('ZADD', KEYS[3], due, destination_key)
if due <= now then return tostring(due) end
local next_run_at = tonumber(redis.call('HGET', KEYS[1], 'nextRunAt') or '0')
if next_run_at > now and next_run_at <= due then return false end
redis.call('HSET', KEYS[1], 'nextRunAt', due)
return tostring(due)
`;

/**
 * Prepares the step that releases a lease and returns the time of the next run; `null` if no run must be scheduled. The script
 * stores the earliest future run, because only that run matters: a later run finds nothing to do and is not scheduled.
 */
export function createReleaseLease(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (release: Release): Promise<number | null> => {
    const { tenant, destinationKey } = release;
    const dueAt = await run(
      [
        keys.destination(tenant, destinationKey),
        keys.deliveryQueue(tenant, destinationKey),
        keys.deliveryQueues(tenant),
      ],
      [release.run, release.nowMs, destinationKey, idleTtlMs(destinationKey)],
    );
    return dueAt === null ? null : Number(dueAt);
  };
}
