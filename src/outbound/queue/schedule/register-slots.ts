import type { Cluster, Redis } from 'ioredis';
import type { WorkerSlots } from '../../../domain/ports.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { ScheduleKeys } from './lua.ts';

/**
 * Duration of a registration of slots, in milliseconds. It is longer than the lock of a task, because the tasks of a killed
 * process occupy slots until their locks expire.
 */
export const registrationMs = 20_000;

/**
 * KEYS 1 slots, 2 slots:until, 3 slots:total
 * ARGV 1 process, 2 its slots, 3 duration of the registration in ms
 */
const source = `
local process, count = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
if count == 0 then gone[#gone + 1] = process end
for _, each in ipairs(gone) do
  redis.call('HDEL', KEYS[1], each)
  redis.call('ZREM', KEYS[2], each)
end
if count > 0 then
  redis.call('HSET', KEYS[1], process, count)
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), process)
end
local total = 0
for _, each in ipairs(redis.call('HVALS', KEYS[1])) do total = total + tonumber(string.match(each, '^%d+') or '0') end
redis.call('SET', KEYS[3], total)
return total
`;

/** Prepares the registration of a process's slots. It replaces the earlier one; 0 slots end it. Returns all slots. */
export function createRegisterSlots(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return async (process: string, slots: number, durationMs: number): Promise<number> =>
    Number(await run([keys.slots, keys.slotsUntil, keys.slotsTotal], [process, slots, durationMs]));
}

/** Prepares the list of the processes with a registration. A registration ends `registrationMs` after its last renewal. */
export function createListWorkers(redis: Redis | Cluster, keys: ScheduleKeys) {
  return async (): Promise<WorkerSlots[]> => {
    const [slots, ends, [seconds = 0, microseconds = 0]] = await Promise.all([
      redis.hgetall(keys.slots),
      redis.zrange(keys.slotsUntil, 0, '-1', 'WITHSCORES'),
      redis.time(),
    ]);
    const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    const untilMs = new Map(ends.flatMap((each, i) => (i % 2 === 0 ? [[each, Number(ends[i + 1])]] : [])));
    return Object.entries(slots).flatMap(([process, count]) => {
      const ageMs = nowMs + registrationMs - (untilMs.get(process) ?? 0);
      return ageMs < registrationMs
        ? [{ process, slots: Number.parseInt(count, 10), ageMs: Math.max(0, ageMs) }]
        : [];
    });
  };
}
