/**
 * The scripts that change job records. Each runs atomically in one hash slot.
 */

/**
 * Writes an event where the job's own webhook wants it or an endpoint asked for its type, for the two scripts below:
 * the job as it is now, under the name of the event, and its place in the outbox.
 */
const writeEvent = `
local function write_event(keys, id, wanted, jobId, record, now)
  if id == '' then return 0 end
  if wanted ~= '1' and redis.call('EXISTS', keys[3], keys[4], keys[5]) == 0 then return 0 end
  redis.call('SET', keys[2], jobId .. ' ' .. record)
  redis.call('ZADD', keys[1], now, id)
  return 1
end
`;

/**
 * Accepts a job, or says why not.
 *
 * KEYS 1 record, 2 open, 3 due, 4 idempotency (unused when ARGV[4] is ''), 5 outbox, 6 event, 7 to 9 subscriptions to its
 *      type, then indexes
 * ARGV 1 id, 2 record, 3 now, 4 fingerprint or '', 5 ttl of the claim in ms, 6 most open jobs,
 *      7 id whose claim may be taken over because its record is gone, 8 due at, 9 id of the event or '', 10 '1' if the
 *      job's own webhook wants it
 * Returns {'created', 1 if the event was written} | {'replayed', id} | {'key_reused'} | {'queue_full'}
 */
export const submitScript = `${writeEvent}
if ARGV[4] ~= '' then
  local claim = redis.call('GET', KEYS[4])
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
  redis.call('SET', KEYS[4], ARGV[4] .. ' ' .. ARGV[1], 'PX', ARGV[5])
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
for i = 10, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
local told = write_event({KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]}, ARGV[9], ARGV[10], ARGV[1], ARGV[2], ARGV[3])
return {'created', told}
`;

/**
 * Compare-and-set of a record together with its indexes and the event that its change is.
 *
 * KEYS 1 record, 2 open, 3 due, 4 outbox, 5 event, 6 to 8 subscriptions to its type, then indexes to leave, indexes to join
 * ARGV 1 expected version, 2 record, 3 id, 4 score in open or '', 5 score in due, 6 channel, 7 message,
 *      8 now, 9 number of indexes to leave, 10 id of the event or '', 11 '1' if the job's own webhook wants it
 * Returns {1, 1 if the event was written} when written, {0, record} when somebody else wrote before, {-1} when there is no
 *      record
 */
export const updateScript = `${writeEvent}
local version = string.match(redis.call('GETRANGE', KEYS[1], 0, 19), '^(%d+) ')
if not version then return {-1} end
if version ~= ARGV[1] then return {0, redis.call('GET', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) else redis.call('ZREM', KEYS[2], ARGV[3]) end
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
local leave = tonumber(ARGV[9])
for i = 9, 8 + leave do redis.call('ZREM', KEYS[i], ARGV[3]) end
for i = 9 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[3]) end
local told = write_event({KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]}, ARGV[10], ARGV[11], ARGV[3], ARGV[2], ARGV[8])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return {1, told}
`;

/**
 * Forgets a record. KEYS 1 record, 2 open, 3 due, then its indexes. ARGV 1 id.
 */
export const removeScript = `
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`;
