import type { Cluster, Redis } from 'ioredis';
import type { DestinationHealth } from '../../../../domain/destination-health.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { healthFields, healthOf } from '../destination-health-fields.ts';

interface LeaseRequest {
  readonly tenant: string;
  readonly destinationKey: string;
  /** Name of the run. */
  readonly run: string;
  readonly nowMs: number;
  /** Expiry of the lease. */
  readonly untilMs: number;
}

/** `heldUntilMs` is set if another run holds the lease. `hasFollowUp` means that another caller retries by then. */
type LeaseReply =
  | { readonly health: DestinationHealth }
  | { readonly heldUntilMs: number; readonly hasFollowUp: boolean };

/**
 * KEYS 1 destination
 * ARGV 1 name of the run, 2 now, 3 expiry of the lease
 * Returns {'acquired', health fields...} | {'held', expiry, '1' if another caller retries by then}
 */
const source = `
local run, now = ARGV[1], ARGV[2]
local lease = redis.call('HMGET', KEYS[1], 'leaseRun', 'leaseUntil', 'nextRunAt')
if lease[1] and lease[1] ~= run and tonumber(lease[2]) > tonumber(now) then
  local next_run_at = tonumber(lease[3] or '0')
  if next_run_at > tonumber(now) and next_run_at <= tonumber(lease[2]) then return {'held', lease[2], '1'} end
  redis.call('HSET', KEYS[1], 'nextRunAt', lease[2])
  return {'held', lease[2], ''}
end
redis.call('HSET', KEYS[1], 'leaseRun', run, 'leaseUntil', ARGV[3])
redis.call('HDEL', KEYS[1], 'interruptedRun')
if redis.call('HSETNX', KEYS[1], 'leaseEpoch', now) == 0 then redis.call('HINCRBY', KEYS[1], 'leaseEpoch', 1) end
redis.call('PERSIST', KEYS[1])
return {'acquired', unpack(redis.call('HMGET', KEYS[1], ${healthFields.map((field) => `'${field}'`).join(', ')}))}
`;

/**
 * Prepares the step that acquires the lease of a delivery queue. If another run holds the lease, the first refused caller
 * retries when that lease expires. Further refused callers do not retry, because they would delay each other.
 */
export function createAcquireLease(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (request: LeaseRequest): Promise<LeaseReply> => {
    const reply = await run(
      [keys.destination(request.tenant, request.destinationKey)],
      [request.run, request.nowMs, request.untilMs],
    );
    return parseReply(reply as (string | null)[]);
  };
}

function parseReply([kind, ...values]: readonly (string | null)[]): LeaseReply {
  if (kind === 'acquired') return { health: healthOf(values) };
  return { heldUntilMs: Number(values[0]), hasFollowUp: values[1] === '1' };
}
