import type { Cluster, Redis } from 'ioredis';
import type { BudgetCap, CapRefusal } from '../../../domain/budget.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { claimLastsUntil } from '../../../domain/retention.ts';
import type { NewEvent } from '../../../domain/webhook-event.ts';
import { createScript } from '../../../lib/redis/script.ts';
import { compareProjections, type ProjectJob } from '../job-projections.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import { encodeVersioned, luaVersionOf, versionLength } from '../versioned-json.ts';
import { luaAppendChange } from './append-change.ts';
import { encodeCaps, hasMark, luaCheckCaps, parseRefusal } from './check-caps.ts';
import { luaWriteEvent } from './write-event.ts';

interface JobUpdate {
  /** Record that the change is based on. */
  readonly before: ImageJob;
  /** Record to write, with its new version. */
  readonly after: ImageJob;
  readonly event?: NewEvent | undefined;
  readonly booking: Booking;
}

/** Rise of the money of a job, in micro-USD, and the budgets in which it counts. */
interface Booking {
  readonly caps?: readonly BudgetCap[] | undefined;
  readonly amount: number;
  /** Whether the record is only written if the amount fits the budgets. */
  readonly mustFit?: boolean;
}

/** Result of an update. `conflict` means that another process wrote first. `record` is the newer record as stored. */
export type UpdateReply =
  | { readonly kind: 'written'; readonly eventWritten: boolean; readonly hasMark: boolean }
  | { readonly kind: 'conflict'; readonly record: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'capped'; readonly refusal: CapRefusal; readonly hasMark: boolean };

/**
 * KEYS 1 record, 2 outbox, 3 to 5 subscriptions, 6 event, 7 change log, 8 money counters, 9 marked thresholds, 10 size of all
 *      records, 11 idempotency claim (unused if it stays), then indexes to leave, indexes to join, counters, counters that are
 *      changed only if they exist
 * ARGV 1 expected version, 2 record, 3 id, 4 now, 5 channel, 6 message, 7 event id or '-', 8 '1' if the job's own webhook
 *      wants the event, 9 number of indexes to leave, 10 number of indexes to join, 11 and 12
 *      length of the history before and after, 13 rise of the money, 14 caps (see check-caps.ts), 15 '1' if the rise must fit
 *      them, 16 number of counters that are changed only if they exist, 17 time that the claim has to last in ms, or '-' if it
 *      stays, then a score for each index to join, then field and amount for each counter
 * Returns {'written', '1' if the event was written, '+' if a threshold was marked} | {'conflict', record} | {'missing'} |
 *      {'capped INDEX HELD SPENT'}, with ' +' if a threshold was marked
 */
const source = `${luaWriteEvent}${luaVersionOf}${luaAppendChange}${luaCheckCaps}
local version = version_of(redis.call('GETRANGE', KEYS[1], 0, ${versionLength}))
if not version then return {'missing'} end
if version ~= ARGV[1] then return {'conflict', redis.call('GET', KEYS[1])} end
local refusal, mark = check_caps({spend = KEYS[8], marks = KEYS[9]}, ARGV[14], tonumber(ARGV[13]), ARGV[4], ARGV[15] ~= '1')
if refusal then return {refusal} end
local record, id = ARGV[2], ARGV[3]
redis.call('INCRBY', KEYS[10], #record - redis.call('STRLEN', KEYS[1]))
redis.call('SET', KEYS[1], record)
local leave_count, join_count = tonumber(ARGV[9]), tonumber(ARGV[10])
local key, arg, last_lasting = 11, 17, #KEYS - tonumber(ARGV[16])
for _ = 1, leave_count do
  key = key + 1
  redis.call('ZREM', KEYS[key], id)
end
for _ = 1, join_count do
  key, arg = key + 1, arg + 1
  redis.call('ZADD', KEYS[key], ARGV[arg], id)
end
while key < #KEYS do
  key = key + 1
  if key <= last_lasting or redis.call('EXISTS', KEYS[key]) == 1 then
    redis.call('HINCRBY', KEYS[key], ARGV[arg + 1], ARGV[arg + 2])
  end
  arg = arg + 2
end
-- The key may name a later job, because the claim of this one has expired.
local claim = ARGV[17] ~= '-' and redis.call('GET', KEYS[11])
if claim and string.match(claim, '^%S+ (%S+)') == id and redis.call('PTTL', KEYS[11]) < tonumber(ARGV[17]) then
  redis.call('PEXPIRE', KEYS[11], ARGV[17])
end
local event = {
  outbox = KEYS[2], subscriptions = {KEYS[3], KEYS[4], KEYS[5]}, key = KEYS[6], id = ARGV[7], wanted = ARGV[8],
}
local event_written = write_event(event, id, record, ARGV[4])
append_change(KEYS[7], id, ARGV[11], ARGV[12], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return {'written', event_written and '1' or '', mark}
`;

/**
 * Prepares the compare-and-set of a record together with its indexes, its counters and its event. It also notifies the
 * listeners of the job.
 */
export function createUpdateJob(redis: Redis | Cluster, keys: Keys, project: ProjectJob) {
  const run = createScript(redis, source);
  return async ({ before, after, event, booking }: JobUpdate): Promise<UpdateReply> => {
    const { tenant, id } = before;
    const change = compareProjections(project(keys, before), project(keys, after));
    const lastsUntil = claimLastsUntil(after);
    const counters = [...change.counters, ...change.purgedCounters];
    const reply = await run(
      [
        keys.job(tenant, id),
        ...eventKeys(keys, tenant, event),
        keys.changes(tenant),
        keys.spend(tenant),
        keys.thresholds(tenant),
        keys.recordBytes(tenant),
        keys.idempotency(tenant, after.claim?.keyHash ?? '-'),
        ...change.leave,
        ...change.join.map(({ key }) => key),
        ...counters.map(({ key }) => key),
      ],
      [
        ...[before.version, encodeVersioned(after), id, after.updatedAt],
        ...[keys.changed, `${tenant} ${id}`],
        ...[event?.id ?? '-', event?.wanted ? '1' : ''],
        ...[change.leave.length, change.join.length],
        ...[before.history.length, after.history.length],
        ...[booking.amount, encodeCaps(booking.caps), booking.mustFit ? '1' : ''],
        change.purgedCounters.length,
        lastsUntil === undefined ? '-' : Math.max(1, lastsUntil - after.updatedAt),
        ...change.join.map(({ score }) => score),
        ...counters.flatMap(({ field, amount }) => [field, amount]),
      ],
    );
    return parseReply(reply as string[], booking.caps);
  };
}

/** Returns outbox, subscriptions and event. Without an event the script reads none of them. */
function eventKeys(keys: Keys, tenant: string, event: NewEvent | undefined): string[] {
  const outbox = keys.outbox(tenant);
  if (!event) return [outbox, outbox, outbox, outbox, outbox];
  return [outbox, ...subscribersOf(keys, tenant, event.type), keys.event(tenant, event.id)];
}

function parseReply(
  [kind = '', more = '', mark = '']: readonly string[],
  caps: Booking['caps'],
): UpdateReply {
  const refusal = parseRefusal(kind, caps);
  if (refusal) return { kind: 'capped', refusal, hasMark: hasMark(kind) };
  if (kind === 'written') return { kind, eventWritten: more === '1', hasMark: mark === '+' };
  return kind === 'conflict' ? { kind, record: more } : { kind: 'missing' };
}
