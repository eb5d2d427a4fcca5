import type { Cluster, Redis } from 'ioredis';
import { createBatches } from '../../../lib/batches.ts';
import { createScript } from '../../../lib/redis/script.ts';
import { luaSchedule, type ScheduleKeys } from './lua.ts';

/**
 * Maximum number of tenants whose waiting tasks are counted. The tasks of all others are estimated, so that the cost does
 * not grow with the number of tenants.
 */
const maxTenants = 32;

/** Maximum number of tasks that one call locates. A longer script would delay other clients of Redis. */
const maxPerCall = 32;

/**
 * KEYS those of luaSchedule
 * ARGV ids
 * Returns for each id the number of tasks that start earlier, or nothing if the task is not waiting
 */
const source = `${luaSchedule}
local queued = redis.call('LLEN', wait) + redis.call('ZCARD', prioritized)
local waiting = redis.call('HLEN', tasks)

local function count_until(owner, last) return redis.call('ZLEXCOUNT', backlog, '[' .. owner .. ' ', '(' .. last) end

-- Counts the tasks of the same tenant that start earlier.
local function count_own(id, tenant, rank, key)
  local before = count_until(tenant, tenant .. ' ' .. rank .. ' ' .. id)
  local parked_rank = redis.call('ZRANK', parked, tenant .. ' ' .. key .. ' ' .. rank .. ' ' .. id)
  if not parked_rank then return before end
  return before + parked_rank - redis.call('ZRANK', parked, first_of(parked, tenant .. ' ' .. key))
end

-- Counts the turns that each other tenant has before a turn of the tenant.
local function count_others(tenant, turn)
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
  if counted < ${maxTenants} then return sum end
  local all = redis.call('ZCOUNT', turns, '-inf', string.format('%.0f', turn)) - (redis.call('ZSCORE', turns, tenant) and 1 or 0)
  return all > counted and math.floor(sum / counted * all) or sum
end

local function locate(id)
  local task = redis.call('HGET', tasks, id)
  -- Redis replies with null for false.
  if not task then return false end
  local tenant, rank, key = string.match(task, '^(%S+) (%S+) (%S+)')
  local before = count_own(id, tenant, rank, key)
  local turn = tonumber(redis.call('ZSCORE', turns, tenant) or time) + before * math.floor(stride / policy_of(tenant))
  return queued + before + math.min(count_others(tenant, turn), waiting - 1 - before)
end

local reply = {}
for i = 1, #ARGV do reply[i] = locate(ARGV[i]) end
return reply
`;

/**
 * Prepares the position of a waiting task: the number of tasks that start earlier if no task is added and no limit of
 * concurrency delays a tenant. Returns `null` if the task is not waiting. Exact for up to 32 other tenants. Positions that
 * are read at the same time share a call.
 */
export function createLocateTask(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return createBatches(
    async (ids: readonly string[]) => {
      const distinct = [...new Set(ids)];
      const positions = (await run(keys.shared, distinct)) as (number | null)[];
      return ids.map((id) => positions[distinct.indexOf(id)] ?? null);
    },
    { max: maxPerCall },
  );
}
