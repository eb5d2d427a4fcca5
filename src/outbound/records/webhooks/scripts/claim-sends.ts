import type { Cluster, Redis } from 'ioredis';
import type { SendClaim, SendGrant } from '../../../../domain/ports.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';

/** Failures after which the breaker of a host opens. Several runs fail at once, so the number is larger than that of a run. */
export const failuresToOpen = 10;
/** Time in which one probe of a half-open breaker must end, in milliseconds. Longer than any attempt. */
const probeMs = 20_000;
/** Retention of counters and breakers after the last request, in milliseconds. Longer than any cooldown. */
export const sendsTtlMs = 600_000;

/**
 * Claims requests to a host. A request is counted in a slice of ten seconds. The sum of seven slices covers the last minute
 * completely, so no minute has more requests than the limit.
 *
 * KEYS 1 requests to the host, 2 requests of the tenant
 * ARGV 1 now, 2 wanted, 3 limit of the host, 4 limit of the tenant, 5 failures that open, 6 duration of a probe, 7 retention,
 *      8 '1' if the breaker does not matter
 * Returns {granted, time at which more may be claimed, reason, failures of the host}
 */
const source = `
local now, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local breaker = redis.call('HMGET', KEYS[1], 'failures', 'until', 'probeUntil')
local failures = tonumber(breaker[1] or '0')
local is_broken = failures >= tonumber(ARGV[5]) and ARGV[8] ~= '1'
if is_broken then
  local blocked = math.max(tonumber(breaker[2] or '0'), tonumber(breaker[3] or '0'))
  if blocked > now then return {0, tostring(blocked), 'host_unreachable', failures} end
  wanted = math.min(wanted, 1)
end
local slice = math.floor(now / 10000)
local function room(key, limit)
  local names, used, free_at = {}, 0, 0
  for each = slice - 6, slice do names[#names + 1] = 'sent:' .. each end
  for i, value in ipairs(redis.call('HMGET', key, unpack(names))) do
    local count = tonumber(value or '0')
    used = used + count
    if count > 0 and free_at == 0 then free_at = (slice + i) * 10000 end
  end
  return limit - used, free_at
end
local host_room, host_free_at = room(KEYS[1], tonumber(ARGV[3]))
local tenant_room, tenant_free_at = room(KEYS[2], tonumber(ARGV[4]))
local granted = math.max(0, math.min(wanted, host_room, tenant_room))
if granted > 0 then
  for _, key in ipairs(KEYS) do
    if redis.call('HINCRBY', key, 'sent:' .. slice, granted) == granted then
      for _, name in ipairs(redis.call('HKEYS', key)) do
        local each = tonumber(string.match(name, '^sent:(%d+)$'))
        if each and each < slice - 6 then redis.call('HDEL', key, name) end
      end
    end
    redis.call('PEXPIRE', key, ARGV[7])
  end
  if is_broken then redis.call('HSET', KEYS[1], 'probeUntil', now + tonumber(ARGV[6])) end
end
if is_broken then return {granted, tostring(now + tonumber(ARGV[6])), 'host_unreachable', failures} end
if granted == wanted then return {granted, '0', '', failures} end
if host_room <= tenant_room then return {granted, tostring(host_free_at), 'host_limit', failures} end
return {granted, tostring(tenant_free_at), 'tenant_limit', failures}
`;

type Reply = [number, string, string, number];

/** Prepares the step that claims requests to a host within the limits of a minute and of the host's circuit breaker. */
export function createClaimSends(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async ({ tenant, host, nowMs, wanted, limits, isTest }: SendClaim): Promise<SendGrant> => {
    const [granted, until, reason, failures] = (await run(
      [keys.sendsTo(tenant, host), keys.sends(tenant)],
      [
        ...[nowMs, wanted, limits.perHost, limits.perTenant, failuresToOpen, probeMs, sendsTtlMs],
        isTest ? '1' : '',
      ],
    )) as Reply;
    const isFailing = failures > 0;
    if (granted >= wanted) return { granted, isFailing };
    return { granted, isFailing, untilMs: Number(until), reason };
  };
}
