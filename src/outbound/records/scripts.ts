import { luaVersionOf, versionLength } from './versioned-json.ts';

/**
 * The scripts that change job records. Each runs atomically in one hash slot.
 */

/**
 * Writes an event where the job's own webhook wants it or an endpoint asked for its type, for the two scripts below:
 * the job as it is now, under the name of the event, and its place in the outbox. `outbox` is the place of that key in KEYS;
 * the three subscriptions to the type follow it. All events of one call are of one type.
 */
const writeEvent = `
local asked_for
local function is_asked_for(outbox)
  if asked_for == nil then
    asked_for = redis.call('EXISTS', KEYS[outbox + 1], KEYS[outbox + 2], KEYS[outbox + 3]) > 0
  end
  return asked_for
end

local function write_event(outbox, event, id, wanted, job_id, record, now)
  if id == '-' or not (wanted == '1' or is_asked_for(outbox)) then return false end
  redis.call('SET', event, job_id .. ' ' .. record)
  redis.call('ZADD', KEYS[outbox], now, id)
  return true
end
`;

/**
 * Accepts jobs of one tenant in their order, each as if it came alone, or says why not.
 *
 * KEYS 1 open, 2 due, 3 outbox, 4 to 6 subscriptions to the type of their events, then the indexes that any of them joins;
 *      then for each job: its record, its event (unused when there is none), its idempotency claim (only with a fingerprint)
 * ARGV 1 number of indexes; then for each job: its order, and its record. An order is one text, since every argument costs
 *      more than its words do: id, now, due at, most open jobs, places of its indexes in KEYS with commas between, id of the
 *      event, '1' if the job's own webhook wants it, fingerprint, ttl of the claim in ms. '-' stands for none.
 * Returns for each job 'created' | 'told', when its event was written as well | 'replayed ID' | 'key_reused' | 'queue_full'
 */
export const submitScript = `${writeEvent}
local open_jobs = redis.call('ZCARD', KEYS[1])
-- One ZADD for each index, however many jobs join it.
local joining = {}
local function join(place, score, id)
  local members = joining[place] or {}
  joining[place] = members
  members[#members + 1] = score
  members[#members + 1] = id
end

local keys_read, args_read = 6 + tonumber(ARGV[1]), 1
local function next_key() keys_read = keys_read + 1 return KEYS[keys_read] end
local function next_arg() args_read = args_read + 1 return ARGV[args_read] end

local function submit()
  local record, event = next_key(), next_key()
  local order, text = next_arg(), next_arg()
  local id, now, due_at, most, indexes, event_id, wanted, fingerprint, ttl =
    string.match(order, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  local claim = fingerprint ~= '-' and next_key()

  local held = claim and redis.call('GET', claim)
  if held then
    local held_fingerprint, holder = string.match(held, '^(%S+) (%S+)$')
    return held_fingerprint == fingerprint and 'replayed ' .. holder or 'key_reused'
  end
  if open_jobs >= tonumber(most) then return 'queue_full' end
  open_jobs = open_jobs + 1
  if claim then redis.call('SET', claim, fingerprint .. ' ' .. id, 'PX', ttl) end
  redis.call('SET', record, text)
  join('1', now, id)
  join('2', due_at, id)
  for place in string.gmatch(indexes, '%d+') do join(place, 0, id) end
  return write_event(3, event, event_id, wanted, id, text, now) and 'told' or 'created'
end

local outcomes = {}
while args_read < #ARGV do outcomes[#outcomes + 1] = submit() end
for place, members in pairs(joining) do redis.call('ZADD', KEYS[tonumber(place)], unpack(members)) end
return outcomes
`;

/**
 * Compare-and-set of a record together with its indexes and the event that its change is.
 *
 * KEYS 1 record, 2 open, 3 due, 4 outbox, 5 to 7 subscriptions to the type of the event, 8 event, then indexes to leave,
 *      indexes to join
 * ARGV 1 expected version, 2 record, 3 id, 4 score in open or '', 5 score in due, 6 channel, 7 message,
 *      8 now, 9 number of indexes to leave, 10 id of the event or '-', 11 '1' if the job's own webhook wants it
 * Returns {1, 1 if the event was written} when written, {0, record} when somebody else wrote before, {-1} when there is no
 *      record
 */
export const updateScript = `${writeEvent}${luaVersionOf}
local version = version_of(redis.call('GETRANGE', KEYS[1], 0, ${versionLength}))
if not version then return {-1} end
if version ~= ARGV[1] then return {0, redis.call('GET', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) else redis.call('ZREM', KEYS[2], ARGV[3]) end
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
local leave = tonumber(ARGV[9])
for i = 9, 8 + leave do redis.call('ZREM', KEYS[i], ARGV[3]) end
for i = 9 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[3]) end
local told = write_event(4, KEYS[8], ARGV[10], ARGV[11], ARGV[3], ARGV[2], ARGV[8])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return {1, told and 1 or 0}
`;

/**
 * Forgets a record. KEYS 1 record, 2 open, 3 due, then its indexes. ARGV 1 id.
 */
export const removeScript = `
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`;
