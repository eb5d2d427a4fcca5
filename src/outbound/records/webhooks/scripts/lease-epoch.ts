import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { healthTtlMs } from './release-lease.ts';

/**
 * Function of the scripts that name a task. Returns the lease epoch of a destination. Its first epoch is the time: an epoch that
 * began again at 0 after the destination was forgotten could name an earlier task, which may be delayed by hours.
 */
export const luaLeaseEpoch = `
local function lease_epoch(destination, now)
  local epoch = redis.call('HGET', destination, 'leaseEpoch')
  if epoch then return epoch end
  redis.call('HSET', destination, 'leaseEpoch', now)
  redis.call('PEXPIRE', destination, ${healthTtlMs})
  return now
end
`;

/**
 * KEYS 1 destination
 * Returns the lease epoch
 */
const source = `${luaLeaseEpoch}
local clock = redis.call('TIME')
return lease_epoch(KEYS[1], string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000)))
`;

/** Prepares the read of the lease epoch of a destination. Begins the first epoch if there is none. */
export function createReadLeaseEpoch(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (tenant: string, destinationKey: string): Promise<string> =>
    String(await run([keys.destination(tenant, destinationKey)], []));
}
