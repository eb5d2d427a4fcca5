import type { Cluster, Redis } from 'ioredis';
import type { DestinationHealth } from '../../../../domain/destination-health.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';

interface Renewal {
  readonly tenant: string;
  readonly destinationKey: string;
  /** Name of the run. */
  readonly run: string;
  /** New expiry of the lease. */
  readonly untilMs: number;
  readonly health: DestinationHealth;
}

/**
 * KEYS 1 destination
 * ARGV 1 name of the run, 2 expiry of the lease, 3 failures, 4 failing since, 5 blocked until, 6 reason of the block
 * Returns 1, or 0 if the run lost the lease or was interrupted
 */
const source = `
local lease = redis.call('HMGET', KEYS[1], 'leaseRun', 'interruptedRun')
if lease[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'leaseUntil', ARGV[2])
if lease[2] == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'failures', ARGV[3], 'failingSince', ARGV[4], 'blockedUntil', ARGV[5], 'blockedBy', ARGV[6])
return 1
`;

/**
 * Prepares the step that renews a lease and stores the health of the destination. The step returns false if the run must end:
 * it lost the lease, or it was interrupted. An interrupted run keeps its lease for its last attempts, and its health is not
 * stored, because it concerns the endpoint before a change.
 */
export function createRenewLease(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (renewal: Renewal): Promise<boolean> => {
    const { failures, failingSince, blockedUntil, blockedBy } = renewal.health;
    const reply = await run(
      [keys.destination(renewal.tenant, renewal.destinationKey)],
      [
        ...[renewal.run, renewal.untilMs, failures, failingSince ?? 0],
        ...[Math.ceil(blockedUntil ?? 0), blockedBy ?? ''],
      ],
    );
    return reply === 1;
  };
}
