import { luaVersionOf } from '../versioned-json.ts';

/**
 * The scripts of events, deliveries, mailboxes and endpoints. Each runs atomically in one hash slot.
 */

/**
 * Writes the deliveries of an event and takes it out of the outbox. Does nothing for an event that is not in the outbox.
 *
 * KEYS 1 outbox, 2 event, 3 all deliveries, 4 pending ones, 5 mailboxes, then for each delivery: its row, its mailbox, its
 *      receiver, the deliveries of its receiver, those of its job
 * ARGV 1 id of the event, 2 lifetime of its content in ms, 3 now, then for each delivery: id, row, target
 * Returns for each delivery how often the right to empty its mailbox has changed hands, or '' where somebody has it: that one
 * looks again before it leaves
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
 * Compare-and-set of a delivery together with its place in its mailbox, its attempts and the indexes.
 *
 * KEYS 1 row, 2 attempts, 3 mailbox, 4 mailboxes, 5 ended, 6 deliveries of the old status, 7 of the new one
 * ARGV 1 expected version, 2 row, 3 id, 4 target, 5 due at or '', 6 ended at or '', 7 attempt or '', 8 most attempts kept
 * Returns {1} when written, {0, row} when somebody else wrote before, {-1} when there is none
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
 * Takes the right to empty a mailbox for a while. Where another run has it, one of those who ask comes back when that
 * would have died; the others need not, or they would keep each other waiting.
 *
 * KEYS 1 receiver. ARGV 1 name of the run, 2 now, 3 until. Returns {'', failures, failing since, rest until}, or where another
 * run has it {until, '1' if somebody comes back by then}
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
 * Keeps the right and notes how the receiver does.
 *
 * KEYS 1 receiver. ARGV 1 name of the run, 2 until, 3 failures, 4 failing since, 5 rest until. Returns 1, or 0 when lost
 */
export const keepScript = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', ARGV[2], 'failures', ARGV[3], 'failingSince', ARGV[4], 'blockedUntil', ARGV[5])
return 1
`;

/**
 * Gives the right back and says when to come again. Of several that were told to come later only the earliest matters,
 * so its time is kept: the others find nothing to do and are not asked to come again.
 *
 * KEYS 1 receiver, 2 mailbox, 3 mailboxes. ARGV 1 name of the run, 2 now, 3 target, 4 how long to remember an idle
 * receiver in ms. Returns when mail is due, or nothing when there is none or somebody else will come
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
 * KEYS 1 row, 2 endpoints, then one set for each pattern. ARGV 1 expected version, 0 for a new one, 2 row, 3 id, 4 most
 * endpoints, then for each pattern '1' where the endpoint asks for it
 * Returns {1} when written, {0, row} when somebody else wrote before, {-1} when there is none, {-2} when there are too many
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
