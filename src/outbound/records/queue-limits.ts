import type { ImageJob } from '../../domain/image-job.ts';
import type { QueueLimit } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import type { CounterEntry } from './projection.ts';

/** Maximum number of enhancements that one refusal compares. A script blocks Redis. */
const maxDropped = 100;

const queuedField = (keyId: string) => `${keyId}.queued`;

/** Returns the number of waiting jobs that a job adds to its key. Two indexes have the number of the tenant. */
export function loadCounters(keys: Keys, { tenant, status, keyId }: ImageJob): CounterEntry[] {
  if (status !== 'queued' || keyId === undefined) return [];
  return [{ key: keys.load(tenant), field: queuedField(keyId), amount: 1 }];
}

/**
 * Checks the limits of waiting jobs. They are one text: 'POSITION=LIMIT=FIELD,...' with positions in KEYS. For the limit of
 * the tenant, POSITION is that of its index of waiting jobs, and FIELD is '-' and the position of that of its enhancements.
 * `created` are the jobs of this call that are not in the indexes (`all`), and those that are not in the counter of the same
 * key (`of_key`). Before a job is refused, the oldest enhancements that have ended are dropped: an earlier release does not
 * know their index, and leaves those that it ran. KEYS 1 is the index of unfinished jobs.
 */
export const luaCheckQueueLimits = `
local function drop_ended(enhancements)
  for _, id in ipairs(redis.call('ZRANGE', enhancements, 0, ${maxDropped - 1})) do
    if not redis.call('ZSCORE', KEYS[1], id) then redis.call('ZREM', enhancements, id) end
  end
end
local function tenant_size(jobs, enhancements, limit)
  local size = redis.call('ZCARD', jobs) + redis.call('ZCARD', enhancements)
  if size < limit then return size end
  drop_ended(enhancements)
  return redis.call('ZCARD', jobs) + redis.call('ZCARD', enhancements)
end
local function check_queue_limits(limits, created)
  local index = 0
  for position, limit, field in string.gmatch(limits, '(%d+)=(%d+)=([^,]+)') do
    local key, enhancements = KEYS[tonumber(position)], string.match(field, '^-(%d+)$')
    local stored = enhancements
      and tenant_size(key, KEYS[tonumber(enhancements)], limit - created.all) + created.all
      or tonumber(redis.call('HGET', key, field) or '0') + created.of_key
    if stored >= tonumber(limit) then return 'queued_limit ' .. index end
    index = index + 1
  end
end
`;

/** Encodes limits of waiting jobs for the script; '-' if there are none. */
export function encodeQueueLimits(
  { keys, job }: { readonly keys: Keys; readonly job: ImageJob },
  limits: readonly QueueLimit[],
  positionOf: (key: string) => number,
): string {
  const parts = limits.map(({ owner, limit }) =>
    owner === 'tenant'
      ? `${positionOf(keys.status(job.tenant, 'queued'))}=${limit}=-${positionOf(keys.waitingEnhancements(job.tenant))}`
      : `${positionOf(keys.load(job.tenant))}=${limit}=${queuedField(job.keyId ?? '')}`,
  );
  return parts.join(',') || '-';
}

/** Returns the limit that a reply of the script names, or `null` if the reply is another one. */
export function parseQueueLimit(reply: string, limits: readonly QueueLimit[]): QueueLimit | null {
  const [kind, index] = reply.split(' ');
  return kind === 'queued_limit' ? (limits[Number(index)] ?? null) : null;
}
