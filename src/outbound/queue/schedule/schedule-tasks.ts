import type { Cluster, Redis } from 'ioredis';
import type { Priority } from '../../../domain/ports.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { JobTask } from '../intake-entry.ts';
import { luaSchedule, type ScheduleKeys, sharedKeyCount } from './lua.ts';

export interface ScheduleInput {
  readonly added?: readonly JobTask[];
  /** Tasks that have left the queue. With a time, only if the task was scheduled at that time. */
  readonly ended?: readonly { readonly id: string; readonly scheduledAt?: string }[];
  /** Maximum number of waiting tasks to schedule. The number of free slots is another limit. */
  readonly maxTasks: number;
}

/** Tasks that the caller must add to the queue at once. */
export interface Scheduled {
  readonly tasks: readonly JobTask[];
  /** Whether slots may be left for further tasks. */
  readonly hasMore: boolean;
}

const ranks = { high: '1', normal: '2', low: '3' } as const satisfies Record<Priority, string>;
const priorityOf: Readonly<Record<string, Priority>> = { 1: 'high', 2: 'normal', 3: 'low' };
const interruptedRank = '0';

/** Time after which a scheduled task that is not in the queue counts as lost, in milliseconds. */
export const lostAfterMs = 10_000;
/** Maximum number of tenants and tasks that one call looks at. A longer script would delay other clients of Redis. */
const maxSteps = 300;

/**
 * KEYS those of luaSchedule, then for each added task its key in the queue
 * ARGV 1 max tasks, 2 number of ended tasks, then for each: 'ID' or 'ID TIME'; then for each added task: 'ID TENANT RANK KEY',
 *      RANK 0 for an interrupted task
 * Returns a list: '1' if slots may be left, then for each task to add to the queue: 'ID TENANT RANK KEY'
 */
const source = `${luaSchedule}
local max_tasks, ended_count = tonumber(ARGV[1]), tonumber(ARGV[2])
local reply = {''}

local function schedule_task(id, tenant, rank, key, shown_rank)
  begin_task(id, tenant, rank, key)
  reply[#reply + 1] = id .. ' ' .. tenant .. ' ' .. shown_rank .. ' ' .. key
end

local function is_known(id, task_key)
  if redis.call('HEXISTS', tasks, id) == 1 or redis.call('EXISTS', task_key) == 1 then return true end
  local held = redis.call('HGET', scheduled, id)
  if not held then return false end
  if now_ms() - tonumber(string.match(held, '^%S+')) < ${lostAfterMs} then return true end
  end_task(id)
  return false
end

local function add(id, tenant, rank, key)
  if rank == '${interruptedRank}' then return schedule_task(id, tenant, '2', key, rank) end
  redis.call('HSET', tasks, id, tenant .. ' ' .. rank .. ' ' .. key)
  redis.call('ZADD', backlog, 0, tenant .. ' ' .. rank .. ' ' .. id)
  join_turns(tenant)
  -- A caller that schedules nothing has not read the rules of the key. A relay does so before the task is scheduled.
  if max_tasks == 0 and key ~= '-' then redis.call('SADD', unchecked, tenant .. ' ' .. key) end
end

local function must_park(owner)
  if redis.call('SISMEMBER', unchecked, owner) == 1 then return true end
  local limit = tonumber(string.match(redis.call('HGET', policies, owner) or '', '^%S+') or '')
  return limit and running_of(owner) >= limit
end

-- Returns whether a task was scheduled. The tenant has its turn now.
local function schedule_next(tenant, turn)
  local weight, limit = policy_of(tenant)
  if limit and running_of(tenant) >= limit then
    redis.call('ZREM', turns, tenant)
    redis.call('SADD', full, tenant)
    return false
  end
  local member = first_of(backlog, tenant)
  if not member then
    redis.call('ZREM', turns, tenant)
    return false
  end
  redis.call('ZREM', backlog, member)
  local rank, id = string.match(member, '(%S+) (%S+)$')
  local key = string.match(redis.call('HGET', tasks, id) or '- - -', '^%S+ %S+ (%S+)')
  if key ~= '-' and must_park(tenant .. ' ' .. key) then
    redis.call('ZADD', parked, 0, tenant .. ' ' .. key .. ' ' .. rank .. ' ' .. id)
    return false
  end
  redis.call('HDEL', tasks, id)
  redis.call('ZADD', turns, string.format('%.0f', turn + math.floor(stride / weight)), tenant)
  schedule_task(id, tenant, rank, key, rank)
  return true
end

for i = 3, 2 + ended_count do
  end_task(string.match(ARGV[i], '^%S+'), string.match(ARGV[i], '^%S+ (%S+)$'))
end
for i = 3 + ended_count, #ARGV do
  local id, tenant, rank, key = string.match(ARGV[i], '^(%S+) (%S+) (%S+) (%S+)$')
  if not is_known(id, KEYS[${sharedKeyCount - 2} + i - ended_count]) then add(id, tenant, rank, key) end
end

local free, steps = count_free_slots(), 0
local left = math.min(free, max_tasks)
while left > 0 and steps < ${maxSteps} do
  local first = redis.call('ZRANGE', turns, 0, 0, 'WITHSCORES')
  if not first[1] then break end
  steps = steps + 1
  time = math.max(time, tonumber(first[2]))
  if schedule_next(first[1], tonumber(first[2])) then
    left, free = left - 1, free - 1
  end
end
if steps > 0 then redis.call('SET', time_key, string.format('%.0f', time)) end
if free > 0 and redis.call('EXISTS', turns) == 1 then
  reply[1] = '1'
  -- Another process may have the free slot, and this caller may not schedule.
  if max_tasks == 0 and redis.call('EXISTS', due) == 0 then redis.call('RPUSH', due, '1') end
end
return reply
`;

/**
 * Prepares the script of the schedule: removes ended tasks, adds new ones, and takes the next tasks of the tenants in turns
 * until all slots are used. A task that the schedule or the queue contains already is not added again.
 */
export function createScheduleTasks(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return async ({ added = [], ended = [], maxTasks }: ScheduleInput): Promise<Scheduled> => {
    const reply = await run(
      [...keys.shared, ...added.map(({ id }) => keys.task(id))],
      [
        maxTasks,
        ended.length,
        ...ended.map(({ id, scheduledAt }) => (scheduledAt === undefined ? id : `${id} ${scheduledAt}`)),
        ...added.map(encode),
      ],
    );
    const [hasMore, ...tasks] = reply as string[];
    return { tasks: tasks.map(decode), hasMore: hasMore === '1' };
  };
}

function encode({ id, tenant, priority, keyId, isInterrupted, isRetry }: JobTask): string {
  const rank = isInterrupted ? interruptedRank : `${isRetry ? '0' : ''}${ranks[priority]}`;
  return `${id} ${tenant} ${rank} ${keyId ?? '-'}`;
}

function decode(text: string): JobTask {
  const [id = '', tenant = '', rank = '', key = '-'] = text.split(' ');
  return {
    id,
    tenant,
    priority: priorityOf[rank.slice(-1)] ?? 'normal',
    ...(key === '-' ? {} : { keyId: key }),
    ...(rank === interruptedRank ? { isInterrupted: true } : {}),
  };
}
