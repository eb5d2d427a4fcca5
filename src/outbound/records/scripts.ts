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
 * Accepts jobs of one tenant in their order, each as if it came alone, or says why not.
 *
 * KEYS 1 open, 2 due, 3 outbox, 4 to 6 subscriptions to the type of their events; then for each job: its record, its event
 *      (unused when there is none), its idempotency claim (only with a fingerprint), its indexes
 * ARGV for each job: id, record, now, due at, most open jobs, id of the event or '', '1' if the job's own webhook wants it,
 *      number of its indexes, fingerprint or '', and with a fingerprint: ttl of the claim in ms, id whose claim may be
 *      taken over because its record is gone
 * Returns for each job {'created', 1 if the event was written} | {'replayed', id} | {'key_reused'} | {'queue_full'}
 */
export const submitScript = `${writeEvent}
local open_jobs = redis.call('ZCARD', KEYS[1])
-- One ZADD for each index, however many jobs join it.
local joining = {}
local function join(key, score, id)
  local members = joining[key] or {}
  joining[key] = members
  members[#members + 1] = score
  members[#members + 1] = id
end

local keys_read, args_read = 6, 0
local function next_key() keys_read = keys_read + 1 return KEYS[keys_read] end
local function next_arg() args_read = args_read + 1 return ARGV[args_read] end

local function submit()
  local record, event = next_key(), next_key()
  local id, text, now, due_at, most = next_arg(), next_arg(), next_arg(), next_arg(), tonumber(next_arg())
  local event_id, wanted, index_count, fingerprint = next_arg(), next_arg(), tonumber(next_arg()), next_arg()
  local claim, ttl, take_over
  if fingerprint ~= '' then claim, ttl, take_over = next_key(), next_arg(), next_arg() end
  local indexes = {}
  for i = 1, index_count do indexes[i] = next_key() end

  local held = claim and redis.call('GET', claim)
  if held then
    local held_fingerprint, holder = string.match(held, '^(%S+) (%S+)$')
    if holder ~= take_over then
      if held_fingerprint ~= fingerprint then return {'key_reused'} end
      return {'replayed', holder}
    end
  end
  if open_jobs >= most then return {'queue_full'} end
  open_jobs = open_jobs + 1
  if claim then redis.call('SET', claim, fingerprint .. ' ' .. id, 'PX', ttl) end
  redis.call('SET', record, text)
  join(KEYS[1], now, id)
  join(KEYS[2], due_at, id)
  for i = 1, index_count do join(indexes[i], 0, id) end
  local told = write_event({KEYS[3], event, KEYS[4], KEYS[5], KEYS[6]}, event_id, wanted, id, text, now)
  return {'created', told}
end

local outcomes = {}
while args_read < #ARGV do outcomes[#outcomes + 1] = submit() end
for key, members in pairs(joining) do redis.call('ZADD', key, unpack(members)) end
return outcomes
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
