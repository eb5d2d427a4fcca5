import type { Cluster, Redis } from 'ioredis';
import type { CapRefusal } from '../../../domain/budget.ts';
import type { InputSourceRecord, JobStore, QueueLimit } from '../../../domain/ports.ts';
import { eventOf } from '../../../domain/webhook-event.ts';
import { createScript } from '../../../lib/redis/script.ts';
import { encodeSources, luaCheckSources, parseSource } from '../input-sources.ts';
import type { Projection, ProjectJob } from '../job-projections.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import { encodeQueueLimits, luaCheckQueueLimits, parseQueueLimit } from '../queue-limits.ts';
import { encodeVersioned } from '../versioned-json.ts';
import { luaAppendChange } from './append-change.ts';
import { encodeCaps, hasMark, luaCheckCaps, parseRefusal } from './check-caps.ts';
import { luaWriteEvent } from './write-event.ts';

export type SubmitInput = Parameters<JobStore['submit']>[0];

/** Decision on one job. */
export type SubmitReply =
  | { readonly kind: 'created'; readonly eventWritten: boolean; readonly hasMark: boolean }
  | { readonly kind: 'replayed'; readonly id: string }
  | { readonly kind: 'capped'; readonly refusal: CapRefusal; readonly hasMark: boolean }
  | { readonly kind: 'queued_limit'; readonly limit: QueueLimit }
  | { readonly kind: 'throttled'; readonly forMs: number }
  | { readonly kind: 'source_gone'; readonly source: InputSourceRecord }
  | { readonly kind: 'key_reused' | 'queue_full' | 'records_full' };

/**
 * KEYS 1 open, 2 outbox, 3 to 5 subscriptions, 6 change log, 7 money counters, 8 marked thresholds, 9 all jobs, 10 size of
 *      all records, 11 throttle, then the indexes, counters and sources of all jobs, each once,
 *      then for each job: its record, its event (unused without an event), its idempotency claim (only with a fingerprint)
 * ARGV 1 number of indexes, counters and sources, 2 max records, 3 max size of all records, then for each job: its fields and its record. The fields are one text, because
 *      every argument costs more than its bytes: id, now, max open jobs, indexes, counters, event id, '1' if the job's own
 *      webhook wants the event, fingerprint, TTL of the claim in ms, hold, caps (see check-caps.ts),
 *      limits of waiting jobs (see queue-limits.ts). '-' stands for an absent value. The sources (see input-sources.ts) follow
 *      only if there are any.
 *      Indexes: 'position=score,...', counters: 'position=field=amount,...', positions in KEYS.
 * Returns for each job 'created ' | 'event_written ' (created with its event) | 'replayed ID' | 'key_reused' | 'queue_full' |
 *      'queued_limit INDEX' | 'source_gone INDEX' | 'records_full' | 'throttled MS' | 'capped INDEX HELD SPENT'. '+' follows if a threshold of a
 *      budget was marked
 */
const source = `${luaWriteEvent}${luaAppendChange}${luaCheckCaps}${luaCheckQueueLimits}${luaCheckSources}
local open_jobs, created = redis.call('ZCARD', KEYS[1]), 0
local records, bytes = redis.call('ZCARD', KEYS[9]), tonumber(redis.call('GET', KEYS[10]) or '0')
local bytes_before, throttled_ms = bytes, redis.call('PTTL', KEYS[11])
-- One ZADD for each index, however many jobs join it.
local joining = {}
local function join(position, score, id)
  local members = joining[position] or {}
  joining[position] = members
  members[#members + 1] = score
  members[#members + 1] = id
end

-- Jobs that add the same amounts to the same counters are counted by one command for each counter. They wait here until a job
-- differs, or has other caps: those are compared with the counters.
local waiting = {counters = '-', caps = '-', jobs = 0}
local function count_waiting()
  for position, field, amount in string.gmatch(waiting.counters, '(%d+)=([^,=]+)=([^,]+)') do
    redis.call('HINCRBY', KEYS[tonumber(position)], field, string.format('%.0f', amount * waiting.jobs))
  end
end
local function wait_with(counters, caps)
  if counters == waiting.counters and caps == waiting.caps then return end
  if waiting.jobs > 0 then count_waiting() end
  waiting = {counters = counters, caps = caps, jobs = 0}
end

local keys_read, args_read = 11 + tonumber(ARGV[1]), 3
local function next_key() keys_read = keys_read + 1 return KEYS[keys_read] end
local function next_arg() args_read = args_read + 1 return ARGV[args_read] end

local function submit()
  local record_key, event_key = next_key(), next_key()
  local fields, record = next_arg(), next_arg()
  local id, now, max_open, indexes, counters, event_id, wanted, fingerprint, ttl, hold, caps, limits, sources =
    string.match(fields, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  local claim_key = fingerprint ~= '-' and next_key()

  local claim = claim_key and redis.call('GET', claim_key)
  if claim then
    local claimed_by, holder = string.match(claim, '^(%S+) (%S+)')
    return claimed_by == fingerprint and 'replayed ' .. holder or 'key_reused'
  end
  if redis.call('EXISTS', record_key) == 1 then return 'replayed ' .. id end
  local is_gone = sources ~= '' and check_sources(sources)
  if is_gone then return is_gone end
  if throttled_ms > 0 then return 'throttled ' .. throttled_ms end
  if open_jobs >= tonumber(max_open) then return 'queue_full' end
  wait_with(counters, caps)
  local is_limited = check_queue_limits(limits, {all = created, of_key = waiting.jobs})
  if is_limited then return is_limited end
  if records >= tonumber(ARGV[2]) or bytes + #record > tonumber(ARGV[3]) then return 'records_full' end
  local refusal, mark = check_caps({spend = KEYS[7], marks = KEYS[8]}, caps, tonumber(hold), now)
  if refusal then return refusal end
  open_jobs, created, records, bytes = open_jobs + 1, created + 1, records + 1, bytes + #record
  if claim_key then redis.call('SET', claim_key, fingerprint .. ' ' .. id, 'PX', ttl) end
  redis.call('SET', record_key, record)
  for position, score in string.gmatch(indexes, '(%d+)=([^,]+)') do join(position, score, id) end
  waiting.jobs = waiting.jobs + 1
  append_change(KEYS[6], id, '0', '1', now)
  local event = {
    outbox = KEYS[2], subscriptions = {KEYS[3], KEYS[4], KEYS[5]}, key = event_key, id = event_id, wanted = wanted,
  }
  return (write_event(event, id, record, now) and 'event_written ' or 'created ') .. mark
end

local replies = {}
while args_read < #ARGV do replies[#replies + 1] = submit() end
if waiting.jobs > 0 then count_waiting() end
if bytes > bytes_before then redis.call('INCRBY', KEYS[10], bytes - bytes_before) end
for position, members in pairs(joining) do redis.call('ZADD', KEYS[tonumber(position)], unpack(members)) end
return replies
`;

const unlimited = Number.MAX_SAFE_INTEGER;

/** Placeholder for an absent value. */
const none = '-';

/**
 * Prepares the script that accepts jobs of one tenant in their order, each independently of the others. For each job, the
 * script claims the key, checks the limit, and writes record, indexes, counters and event, or nothing. A record that exists
 * under the id of the job is replayed, so equal requests that share an id create one job.
 */
export function createSubmitJobs(redis: Redis | Cluster, keys: Keys, project: ProjectJob) {
  const run = createScript(redis, source);
  return async (tenant: string, inputs: readonly SubmitInput[]): Promise<SubmitReply[]> => {
    const { names, values } = argumentsOf(keys, project, { tenant, inputs });
    const replies = (await run(names, values)) as string[];
    return inputs.map((input, i) => parseReply(replies[i] ?? '', input));
  };
}

function parseReply(reply: string, { caps, queueLimits = [], sources = [] }: SubmitInput): SubmitReply {
  if (reply === 'key_reused' || reply === 'queue_full' || reply === 'records_full') return { kind: reply };
  const limit = parseQueueLimit(reply, queueLimits);
  if (limit) return { kind: 'queued_limit', limit };
  const source = parseSource(reply, sources);
  if (source) return { kind: 'source_gone', source };
  const refusal = parseRefusal(reply, caps);
  if (refusal) return { kind: 'capped', refusal, hasMark: hasMark(reply) };
  const [kind, rest = ''] = reply.split(' ');
  if (kind === 'replayed') return { kind, id: rest };
  if (kind === 'throttled') return { kind, forMs: Number(rest) };
  return { kind: 'created', eventWritten: kind === 'event_written', hasMark: hasMark(reply) };
}

function argumentsOf(
  keys: Keys,
  project: ProjectJob,
  { tenant, inputs }: { tenant: string; inputs: readonly SubmitInput[] },
): { names: string[]; values: (string | number)[] } {
  const names = [keys.open(tenant), keys.outbox(tenant), ...subscribersOf(keys, tenant, eventOf('queued'))];
  names.push(keys.changes(tenant), keys.spend(tenant), keys.thresholds(tenant));
  names.push(keys.due(tenant), keys.recordBytes(tenant), keys.moderationThrottle(tenant));
  const fixedCount = names.length;
  // Most jobs join the same indexes, so each key is sent once.
  const positions = new Map<string, number>();
  function positionOf(key: string): number {
    const position = positions.get(key) ?? names.push(key);
    positions.set(key, position);
    return position;
  }
  const fields = inputs.map((input) => fieldsOf(input, { ...project(keys, input.job), keys }, positionOf));
  const { maxRecords = unlimited, maxBytes = unlimited } = inputs[0]?.storage ?? {};
  const values: (string | number)[] = [names.length - fixedCount, maxRecords, maxBytes];
  for (const [i, { job, claim, event }] of inputs.entries()) {
    values.push(fields[i] ?? none, encodeVersioned(job));
    names.push(keys.job(tenant, job.id), keys.event(tenant, event?.id ?? none));
    if (claim) names.push(keys.idempotency(tenant, claim.keyHash));
  }
  return { names, values };
}

function fieldsOf(
  { job, claim, event, maxOpenJobs, caps, queueLimits = [], sources = [] }: SubmitInput,
  { indexes, counters, keys }: Projection & { readonly keys: Keys },
  positionOf: (key: string) => number,
): string {
  const joined = indexes.map(({ key, score }) => `${positionOf(key)}=${score}`).join(',');
  const counted = counters.map(({ key, field, amount }) => `${positionOf(key)}=${field}=${amount}`).join(',');
  const itself = `${job.id} ${job.updatedAt} ${maxOpenJobs} ${joined || none} ${counted || none}`;
  const eventFields = `${event?.id ?? none} ${event?.wanted ? 1 : none}`;
  const limits = encodeQueueLimits({ keys, job }, queueLimits, positionOf);
  const claimFields = `${claim?.fingerprint ?? none} ${claim?.ttlMs ?? none}`;
  const copied = encodeSources({ keys, tenant: job.tenant }, sources, positionOf);
  const all = `${itself} ${eventFields} ${claimFields} ${job.hold ?? 0} ${encodeCaps(caps)} ${limits}`;
  return copied === '' ? all : `${all} ${copied}`;
}
