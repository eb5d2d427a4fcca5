import { minDelayedScore } from '../delayed-priorities.ts';
import type { QueueName } from '../queue-names.ts';

/**
 * Names of the schedule's keys. They share the hash tag of the queue, so that one script may use both on a cluster.
 *
 *   backlog    zset    waiting tasks 'TENANT RANK ID', all with score 0, so that they are in the order of their text
 *   parked     zset    waiting tasks 'TENANT KEY RANK ID' of API keys that run as many jobs as they may
 *   tasks      hash    id of a waiting task: 'TENANT RANK KEY'
 *   turns      zset    tenants by the virtual time of their next turn
 *   time       string  the virtual time
 *   scheduled  hash    id of a task that is in the queue or on the way into it: 'TIME TENANT RANK KEY'
 *   running    hash    number of these tasks by 'TENANT' and by 'TENANT KEY'
 *   policies   hash    'TENANT': 'WEIGHT LIMIT', 'TENANT KEY': 'LIMIT', only for those that differ from the default
 *   full       set     tenants that run as many jobs as they may. They get no turn.
 *   slots      hash    slots of each worker process; slots:until: zset of processes by the end of their registration;
 *                      slots:total: their sum
 *   unchecked  set     'TENANT KEY' of tasks that were added without their rules
 *   due        list    an element if a relay has to schedule tasks
 *
 * RANK is 1 for `high` to 3 for `low`, with a 0 before it for a task that has waited for a retry. KEY is '-' for a task without
 * an API key. No name contains a space. A newer release may add parts at the end of the values of hashes. They are ignored,
 * because one value must not stop the jobs of all tenants.
 */
export function createScheduleKeys({ name, prefix }: QueueName) {
  const own = (rest: string) => `${prefix}:${rest}`;
  const queue = (rest: string) => `${prefix}:${name}:${rest}`;
  const slots = { slots: own('slots'), slotsUntil: own('slots:until'), slotsTotal: own('slots:total') };
  return {
    ...slots,
    due: own('due'),
    tasks: own('tasks'),
    scheduled: own('scheduled'),
    turns: own('turns'),
    policies: own('policies'),
    unchecked: own('unchecked'),
    wait: queue('wait'),
    prioritized: queue('prioritized'),
    delayed: queue('delayed'),
    active: queue('active'),
    task: queue,
    /** Keys of every script that includes `luaSchedule`, in its sequence. */
    shared: [
      ...[own('backlog'), own('parked'), own('tasks'), own('turns'), own('time'), own('scheduled')],
      ...[own('running'), own('policies'), own('full'), slots.slotsTotal, own('due')],
      ...[own('unchecked'), queue('wait'), queue('prioritized'), queue('active'), queue('delayed')],
    ],
  };
}
export type ScheduleKeys = ReturnType<typeof createScheduleKeys>;

/** Number of keys that `luaSchedule` names. */
export const sharedKeyCount = 16;

/**
 * Functions that the scripts of the schedule share.
 *
 * Tenants are served by start-time fair queuing. Every turn of a tenant moves its next turn by `stride / weight` of virtual
 * time. The virtual time is the time of the latest turn. A tenant without waiting tasks stays in `turns` until its turn, so
 * that it gains nothing by leaving.
 */
export const luaSchedule = `
local backlog, parked, tasks, turns, time_key, scheduled = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local running, policies, full, slots_total, due = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local unchecked, wait, prioritized, active, delayed = KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16]
local stride = 1000000
local time = tonumber(redis.call('GET', time_key) or '0')

local function now_ms()
  local clock = redis.call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end

local function policy_of(tenant)
  local weight, limit = string.match(redis.call('HGET', policies, tenant) or '1 -', '^(%S+) (%S+)')
  return tonumber(weight), tonumber(limit)
end

-- A space sorts before every character of a name, and '!' follows it.
local function first_of(key, owner)
  return redis.call('ZRANGEBYLEX', key, '[' .. owner .. ' ', '(' .. owner .. '!', 'LIMIT', 0, 1)[1]
end

local function running_of(owner) return tonumber(redis.call('HGET', running, owner) or '0') end

local function count_running(owner, change)
  if redis.call('HINCRBY', running, owner, change) <= 0 then redis.call('HDEL', running, owner) end
end

local function join_turns(tenant)
  if redis.call('SISMEMBER', full, tenant) == 0 then
    redis.call('ZADD', turns, 'NX', string.format('%.0f', time), tenant)
  end
end

local function begin_task(id, tenant, rank, key)
  redis.call('HSET', scheduled, id, string.format('%.0f', now_ms()) .. ' ' .. tenant .. ' ' .. rank .. ' ' .. key)
  count_running(tenant, 1)
  if key ~= '-' then count_running(tenant .. ' ' .. key, 1) end
end

-- Lets the next parked task of a key compete again. A task that is still too many is parked once more.
local function unpark(tenant, key)
  local member = key ~= '-' and first_of(parked, tenant .. ' ' .. key)
  if not member then return false end
  redis.call('ZREM', parked, member)
  redis.call('ZADD', backlog, 0, tenant .. ' ' .. string.match(member, '(%S+ %S+)$'))
  join_turns(tenant)
  return true
end

local function end_task(id, since)
  local held = redis.call('HGET', scheduled, id)
  if not held then return end
  local begun_at, tenant, key = string.match(held, '^(%S+) (%S+) %S+ (%S+)')
  if since and since ~= begun_at then return end
  redis.call('HDEL', scheduled, id)
  count_running(tenant, -1)
  if key ~= '-' then count_running(tenant .. ' ' .. key, -1) end
  if redis.call('SREM', full, tenant) == 1 then join_turns(tenant) end
  unpark(tenant, key)
end

-- Both bounds hold: the first counts tasks on the way into the queue, the second those that came without the schedule.
-- Tasks whose delay is over occupy no slot. They run in a free one, and otherwise return to the schedule.
local function count_free_slots()
  local total = tonumber(redis.call('GET', slots_total) or '0')
  local busy = redis.call('LLEN', active) + redis.call('LLEN', wait) + redis.call('ZCARD', prioritized)
  local begun = redis.call('HLEN', scheduled) - redis.call('ZCARD', delayed)
  return total - math.max(busy, begun) + redis.call('ZCOUNT', prioritized, ${minDelayedScore}, '+inf')
end
`;
