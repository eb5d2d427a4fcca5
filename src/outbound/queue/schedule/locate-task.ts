import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';
import { luaSchedule, type ScheduleKeys } from './lua.ts';

/**
 * Maximum number of tenants whose waiting tasks are counted. The tasks of all others are estimated, so that the cost does
 * not grow with the number of tenants.
 */
const maxTenants = 32;

/**
 * KEYS those of luaSchedule
 * ARGV 1 id
 * Returns the number of tasks that start earlier, or -1 if the task is not waiting
 */
const source = `${luaSchedule}
local id = ARGV[1]
local task = redis.call('HGET', tasks, id)
if not task then return -1 end
local tenant, rank, key = string.match(task, '^(%S+) (%S+) (%S+)$')

local function count_until(owner, last) return redis.call('ZLEXCOUNT', backlog, '[' .. owner .. ' ', '(' .. last) end

local before = count_until(tenant, tenant .. ' ' .. rank .. ' ' .. id)
local parked_rank = redis.call('ZRANK', parked, tenant .. ' ' .. key .. ' ' .. rank .. ' ' .. id)
if parked_rank then
  before = before + parked_rank - redis.call('ZRANK', parked, first_of(parked, tenant .. ' ' .. key))
end
local queued = redis.call('LLEN', wait) + redis.call('ZCARD', prioritized)

-- Counts the turns that each other tenant has before the task's own turn.
local weight = policy_of(tenant)
local turn = tonumber(redis.call('ZSCORE', turns, tenant) or time) + before * math.floor(stride / weight)
local others = redis.call('ZRANGEBYSCORE', turns, '-inf', string.format('%.0f', turn), 'WITHSCORES', 'LIMIT', 0, ${maxTenants + 1})
local counted, sum = 0, 0
for i = 1, #others, 2 do
  local other, first = others[i], tonumber(others[i + 1])
  if other ~= tenant and counted < ${maxTenants} then
    local passes = (turn - first) / math.floor(stride / policy_of(other))
    local turns_before = math.ceil(passes)
    if passes == turns_before and other < tenant then turns_before = turns_before + 1 end
    sum = sum + math.min(turns_before, count_until(other, other .. '!'))
    counted = counted + 1
  end
end
local all = redis.call('ZCOUNT', turns, '-inf', string.format('%.0f', turn)) - (redis.call('ZSCORE', turns, tenant) and 1 or 0)
if all > counted and counted > 0 then sum = math.floor(sum / counted * all) end
return queued + before + math.min(sum, redis.call('HLEN', tasks) - 1 - before)
`;

/**
 * Prepares the position of a waiting task: the number of tasks that start earlier if no task is added and no limit of
 * concurrency delays a tenant. Returns `null` if the task is not waiting. Exact for up to 32 other tenants.
 */
export function createLocateTask(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return async (id: string): Promise<number | null> => {
    const position = Number(await run(keys.shared, [id]));
    return position < 0 ? null : position;
  };
}
