import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { failuresToOpen, sendsTtlMs } from './claim-sends.ts';

const minCooldownMs = 15_000;
const maxCooldownMs = 300_000;

/**
 * Records whether a host responded. Failures of attempts that began before the breaker opened do not extend its cooldown.
 *
 * KEYS 1 requests to the host
 * ARGV 1 now, 2 '1' if the host responded, 3 failures that open, 4 shortest cooldown, 5 longest cooldown, 6 retention
 */
const source = `
if ARGV[2] == '1' then return redis.call('HDEL', KEYS[1], 'failures', 'until', 'probeUntil') end
local now, to_open = tonumber(ARGV[1]), tonumber(ARGV[3])
if tonumber(redis.call('HGET', KEYS[1], 'until') or '0') > now then return 0 end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if failures < to_open then return 0 end
local cooldown = math.min(tonumber(ARGV[5]), tonumber(ARGV[4]) * 2 ^ math.min(failures - to_open, 10))
redis.call('HSET', KEYS[1], 'until', now + cooldown)
redis.call('HDEL', KEYS[1], 'probeUntil')
return 1
`;

/** Prepares the step that opens or closes the circuit breaker of a host after an attempt. */
export function createRecordReachability(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (tenant: string, host: string, outcome: { nowMs: number; isReachable: boolean }) => {
    await run(
      [keys.sendsTo(tenant, host)],
      [
        outcome.nowMs,
        outcome.isReachable ? '1' : '',
        failuresToOpen,
        minCooldownMs,
        maxCooldownMs,
        sendsTtlMs,
      ],
    );
  };
}
