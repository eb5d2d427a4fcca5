import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';

/**
 * Counts a request against several limits by the generic cell rate algorithm. A key holds the theoretical arrival time: the
 * time at which the quota is whole again. If one limit is exhausted, the request counts against none.
 *
 * KEYS one for each limit
 * ARGV 1 window in ms, then the limit of each key
 * Returns {ms until the next request passes, or 0 if this one passes, then for each limit: remaining requests, ms until the
 *      quota is whole again}
 */
const source = `
local window = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
-- Rounding of a sum of intervals must not refuse the last request of a quota.
local tolerance = 0.01
local arrivals, waits, wait_ms = {}, {}, 0
for i, key in ipairs(KEYS) do
  -- A clock that went back must not block a key for longer than the window.
  local arrival = math.min(tonumber(redis.call('GET', key) or '0'), now + window)
  arrivals[i] = math.max(arrival, now)
  waits[i] = arrivals[i] + window / ARGV[i + 1] - window - now
  wait_ms = math.max(wait_ms, waits[i])
end
local passes = wait_ms < tolerance
local reply = {passes and 0 or math.ceil(wait_ms)}
for i, key in ipairs(KEYS) do
  local interval = window / ARGV[i + 1]
  if passes then
    arrivals[i] = arrivals[i] + interval
    redis.call('SET', key, string.format('%.3f', arrivals[i]), 'PX', math.ceil(arrivals[i] - now) + 1000)
  end
  local remaining = math.max(0, math.floor((now + window - arrivals[i]) / interval + 0.001))
  -- A limit that refuses has none left, also if the request comes only a moment too early.
  reply[#reply + 1] = waits[i] < tolerance and remaining or 0
  reply[#reply + 1] = math.ceil(math.max(0, arrivals[i] - now))
end
return reply
`;

export interface Taken {
  /** Milliseconds until the next request passes; 0 if this one passes. */
  readonly waitMs: number;
  readonly limits: readonly { readonly remaining: number; readonly resetMs: number }[];
}

/** Prepares the script that counts a request. All limits belong to one tenant. */
export function createTakeRequests(redis: Redis | Cluster, windowMs: number) {
  const run = createScript(redis, source);
  return async (limits: readonly { readonly key: string; readonly limit: number }[]): Promise<Taken> => {
    const reply = (await run(
      limits.map(({ key }) => key),
      [windowMs, ...limits.map(({ limit }) => limit)],
    )) as number[];
    return {
      waitMs: reply[0] ?? 0,
      limits: limits.map((_, i) => ({ remaining: reply[2 * i + 1] ?? 0, resetMs: reply[2 * i + 2] ?? 0 })),
    };
  };
}
