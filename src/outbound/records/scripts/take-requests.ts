import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';

/**
 * Counts requests against several limits by the generic cell rate algorithm. A key holds the theoretical arrival time: the
 * time at which the quota is whole again. If one limit is exhausted, a request counts against none.
 *
 * KEYS one for each limit
 * ARGV 1 window in ms, 2 number of requests, then the limit of each key
 * Returns {number of requests that pass, ms until the next request passes if not all do, then for each limit: remaining
 *      requests, ms until the quota is whole again}
 */
const source = `
local window, passing = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
-- Rounding of a sum of intervals must not refuse the last request of a quota.
local tolerance = 0.01
local limits = {}
local function remaining_of(limit)
  return math.max(0, math.floor((now + window + tolerance - limit.arrival) / limit.interval))
end
for i, key in ipairs(KEYS) do
  -- A clock that went back must not block a key for longer than the window.
  local arrival = math.min(tonumber(redis.call('GET', key) or '0'), now + window)
  limits[i] = {arrival = math.max(arrival, now), interval = window / ARGV[i + 2]}
  passing = math.min(passing, remaining_of(limits[i]))
end
local wait_ms, reply = 0, {passing, 0}
for i, key in ipairs(KEYS) do
  local limit = limits[i]
  limit.arrival = limit.arrival + passing * limit.interval
  if passing > 0 then
    redis.call('SET', key, string.format('%.3f', limit.arrival), 'PX', math.ceil(limit.arrival - now) + 1000)
  end
  wait_ms = math.max(wait_ms, limit.arrival + limit.interval - window - now)
  reply[#reply + 1] = remaining_of(limit)
  reply[#reply + 1] = math.ceil(limit.arrival - now)
end
if passing < tonumber(ARGV[2]) then reply[2] = math.max(1, math.ceil(wait_ms)) end
return reply
`;

export interface Taken {
  /** Milliseconds until the next request passes; 0 if this one passes. */
  readonly waitMs: number;
  readonly limits: readonly { readonly remaining: number; readonly resetMs: number }[];
}

/**
 * Prepares the script that counts requests. All limits belong to one tenant. One call may count many requests.
 *
 * @returns a function that returns the state after each request.
 */
export function createTakeRequests(redis: Redis | Cluster, windowMs: number) {
  const run = createScript(redis, source);
  return async (
    limits: readonly { readonly key: string; readonly limit: number }[],
    count: number,
  ): Promise<Taken[]> => {
    const reply = (await run(
      limits.map(({ key }) => key),
      [windowMs, count, ...limits.map(({ limit }) => limit)],
    )) as number[];
    const [passing = 0, waitMs = 0, ...states] = reply;
    return Array.from({ length: count }, (_, no): Taken => {
      // Requests of the same call that count after this one.
      const later = Math.max(0, passing - 1 - no);
      return {
        waitMs: no < passing ? 0 : waitMs,
        limits: limits.map(({ limit }, i) => ({
          remaining: (states[2 * i] ?? 0) + later,
          resetMs: (states[2 * i + 1] ?? 0) - (later * windowMs) / limit,
        })),
      };
    });
  };
}
