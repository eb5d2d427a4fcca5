import { luaVersionOf } from '../versioned-json.ts';

/**
 * Scripts of events, deliveries, delivery queues and endpoints. Each script runs atomically in one hash slot.
 */

/**
 * Writes the deliveries of an event and removes the event from the outbox. Does nothing if the event is not in the outbox.
 *
 * KEYS 1 outbox, 2 event, 3 all deliveries, 4 pending deliveries, 5 destinations with pending deliveries, then for each
 *      delivery: its row, its delivery queue, its destination, the deliveries of its destination, the deliveries of its job
 * ARGV 1 id of the event, 2 TTL of its content in ms, 3 now, then for each delivery: id, row, destination key
 * Returns for each delivery the lease epoch of its delivery queue, or '' if a run holds the lease. That run checks the queue
 * again before it releases the lease.
 */
export const dispatchScript = `
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {} end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local turns = {}
local at = 4
for i = 6, #KEYS, 5 do
  local id, target = ARGV[at], ARGV[at + 2]
  redis.call('SET', KEYS[i], ARGV[at + 1])
  redis.call('ZADD', KEYS[i + 1], ARGV[3], id)
  redis.call('ZADD', KEYS[5], 'LT', ARGV[3], target)
  for _, index in ipairs({KEYS[3], KEYS[4], KEYS[i + 3], KEYS[i + 4]}) do redis.call('ZADD', index, 0, id) end
  local receiver = redis.call('HMGET', KEYS[i + 2], 'turn', 'until')
  local held = receiver[2] and tonumber(receiver[2]) > tonumber(ARGV[3])
  turns[#turns + 1] = held and '' or receiver[1] or '0'
  at = at + 3
end
return turns
`;

/**
 * Compare-and-set of a delivery together with its entry in the delivery queue, its attempts and the indexes.
 *
 * KEYS 1 row, 2 attempts, 3 delivery queue, 4 destinations with pending deliveries, 5 ended deliveries, 6 deliveries of the
 *      old status, 7 deliveries of the new status
 * ARGV 1 expected version, 2 row, 3 id, 4 destination key, 5 due at or '', 6 ended at or '', 7 attempt or '',
 *      8 maximum number of stored attempts
 * Returns {1} if written, {0, row} if another process wrote first, {-1} if the delivery does not exist
 */
export const updateDeliveryScript = `${luaVersionOf}
local row = redis.call('GET', KEYS[1])
if not row then return {-1} end
if version_of(row) ~= ARGV[1] then return {0, row} end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[5] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
  redis.call('ZADD', KEYS[4], 'LT', ARGV[5], ARGV[4])
else
  redis.call('ZREM', KEYS[3], ARGV[3])
end
if ARGV[6] ~= '' then redis.call('ZADD', KEYS[5], ARGV[6], ARGV[3]) else redis.call('ZREM', KEYS[5], ARGV[3]) end
if KEYS[6] ~= KEYS[7] then
  redis.call('ZREM', KEYS[6], ARGV[3])
  redis.call('ZADD', KEYS[7], 0, ARGV[3])
end
if ARGV[7] ~= '' then
  redis.call('RPUSH', KEYS[2], ARGV[7])
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[8]), -1)
end
return {1}
`;

/**
 * Acquires the lease of a delivery queue. If another run holds the lease, the first refused caller retries when that lease
 * expires. Further refused callers do not retry, because they would delay each other.
 *
 * KEYS 1 destination
 * ARGV 1 name of the run, 2 now, 3 expiry of the lease
 * Returns {'', failures, failing since, blocked until} if acquired, or {expiry, '1' if another caller retries by then} if
 * another run holds the lease
 */
export const takeScript = `
local held = redis.call('HMGET', KEYS[1], 'run', 'until', 'alarm')
local now = tonumber(ARGV[2])
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > now then
  local alarm = tonumber(held[3] or '0')
  if alarm > now and alarm <= tonumber(held[2]) then return {held[2], '1'} end
  redis.call('HSET', KEYS[1], 'alarm', held[2])
  return {held[2], ''}
end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'until', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'turn', 1)
redis.call('PERSIST', KEYS[1])
local health = redis.call('HMGET', KEYS[1], 'failures', 'failingSince', 'blockedUntil')
return {'', health[1], health[2], health[3]}
`;

/**
 * Renews the lease and records the health of the destination.
 *
 * KEYS 1 destination
 * ARGV 1 name of the run, 2 expiry of the lease, 3 failures, 4 failing since, 5 blocked until
 * Returns 1, or 0 if the run lost the lease
 */
export const keepScript = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', ARGV[2], 'failures', ARGV[3], 'failingSince', ARGV[4], 'blockedUntil', ARGV[5])
return 1
`;

/**
 * Releases the lease and returns the time of the next run. The script stores the earliest future run, because only that
 * run matters: a later run finds nothing to do and is not scheduled.
 *
 * KEYS 1 destination, 2 delivery queue, 3 destinations with pending deliveries
 * ARGV 1 name of the run, 2 now, 3 destination key, 4 retention of an idle destination's health in ms
 * Returns the time at which the next run is due. Returns nothing if no delivery is pending, if another run is scheduled by
 * then, or if the run lost the lease.
 */
export const releaseScript = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return false end
redis.call('HDEL', KEYS[1], 'run', 'until')
redis.call('HINCRBY', KEYS[1], 'turn', 1)
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if #first == 0 then
  redis.call('ZREM', KEYS[3], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return false
end
local now = tonumber(ARGV[2])
local due = math.max(tonumber(first[2]), tonumber(redis.call('HGET', KEYS[1], 'blockedUntil') or '0'))
redis.call('ZADD', KEYS[3], due, ARGV[3])
if due <= now then return tostring(due) end
local alarm = tonumber(redis.call('HGET', KEYS[1], 'alarm') or '0')
if alarm > now and alarm <= due then return false end
redis.call('HSET', KEYS[1], 'alarm', due)
return tostring(due)
`;

/**
 * Compare-and-set of an endpoint together with its subscriptions.
 *
 * KEYS 1 row, 2 endpoints, then one set for each pattern
 * ARGV 1 expected version, 0 for a new endpoint, 2 row, 3 id, 4 maximum number of endpoints, then for each pattern '1' if the
 *      endpoint subscribes to it
 * Returns {1} if written, {0, row} if another process wrote first, {-1} if the endpoint does not exist, {-2} if the limit is
 * reached
 */
export const writeEndpointScript = `${luaVersionOf}
local row = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return {-2} end
else
  if not row then return {-1} end
  if version_of(row) ~= ARGV[1] then return {0, row} end
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[3])
for i = 3, #KEYS do redis.call(ARGV[i + 2] == '1' and 'SADD' or 'SREM', KEYS[i], ARGV[3]) end
return {1}
`;
