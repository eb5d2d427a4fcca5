/**
 * The three scripts that change records. Each runs atomically in one hash slot.
 */

/**
 * Accepts a job, or says why not.
 *
 * KEYS 1 record, 2 open, 3 due, 4 outbox, 5 idempotency (unused when ARGV[4] is ''), then indexes, then deliveries
 * ARGV 1 id, 2 record, 3 now, 4 fingerprint or '', 5 ttl of the claim in ms, 6 most open jobs,
 *      7 id whose claim may be taken over because its record is gone, 8 number of indexes, 9 due at,
 *      then id and JSON of each delivery
 * Returns {'created'} | {'replayed', id} | {'key_reused'} | {'queue_full'}
 */
export const submitScript = `
if ARGV[4] ~= '' then
  local claim = redis.call('GET', KEYS[5])
  if claim then
    local fingerprint, id = string.match(claim, '^(%S+) (%S+)$')
    if id ~= ARGV[7] then
      if fingerprint ~= ARGV[4] then return {'key_reused'} end
      return {'replayed', id}
    end
  end
end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return {'queue_full'} end
if ARGV[4] ~= '' then
  redis.call('SET', KEYS[5], ARGV[4] .. ' ' .. ARGV[1], 'PX', ARGV[5])
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[9], ARGV[1])
local indexes = tonumber(ARGV[8])
for i = 6, 5 + indexes do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
local at = 10
for i = 6 + indexes, #KEYS do
  redis.call('SET', KEYS[i], ARGV[at + 1])
  redis.call('ZADD', KEYS[4], ARGV[3], ARGV[at])
  at = at + 2
end
return {'created'}
`;

/**
 * Compare-and-set of a record together with its indexes and the deliveries its change causes.
 *
 * KEYS 1 record, 2 open, 3 due, 4 outbox, then indexes to leave, indexes to join, deliveries
 * ARGV 1 expected version, 2 record, 3 id, 4 score in open or '', 5 score in due, 6 channel, 7 message,
 *      8 now, 9 number of indexes to leave, 10 number to join, then id and JSON of each delivery
 * Returns {1} when written, {0, record} when somebody else wrote before, {-1} when there is no record
 */
export const updateScript = `
local version = string.match(redis.call('GETRANGE', KEYS[1], 0, 19), '^(%d+) ')
if not version then return {-1} end
if version ~= ARGV[1] then return {0, redis.call('GET', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) else redis.call('ZREM', KEYS[2], ARGV[3]) end
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
local leave, join = tonumber(ARGV[9]), tonumber(ARGV[10])
for i = 5, 4 + leave do redis.call('ZREM', KEYS[i], ARGV[3]) end
for i = 5 + leave, 4 + leave + join do redis.call('ZADD', KEYS[i], 0, ARGV[3]) end
local at = 11
for i = 5 + leave + join, #KEYS do
  redis.call('SET', KEYS[i], ARGV[at + 1])
  redis.call('ZADD', KEYS[4], ARGV[8], ARGV[at])
  at = at + 2
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return {1}
`;

/**
 * Forgets a record. KEYS 1 record, 2 open, 3 due, then its indexes. ARGV 1 id.
 */
export const removeScript = `
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`;
