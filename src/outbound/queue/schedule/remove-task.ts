import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';
import { luaSchedule, type ScheduleKeys } from './lua.ts';

/**
 * KEYS those of luaSchedule
 * ARGV 1 id
 * Returns 1 if the task was waiting, otherwise 0
 */
const source = `${luaSchedule}
local id = ARGV[1]
local task = redis.call('HGET', tasks, id)
if not task then return 0 end
local tenant, rank, key = string.match(task, '^(%S+) (%S+) (%S+)')
redis.call('HDEL', tasks, id)
redis.call('ZREM', backlog, tenant .. ' ' .. rank .. ' ' .. id)
redis.call('ZREM', parked, tenant .. ' ' .. key .. ' ' .. rank .. ' ' .. id)
-- The removed task may have competed for the free slot of its key.
unpark(tenant, key)
return 1
`;

/** Prepares the removal of a waiting task. Returns whether the task was waiting. */
export function createRemoveTask(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return async (id: string): Promise<boolean> => (await run(keys.shared, [id])) === 1;
}
