import type { ImageJob } from '../../domain/image-job.ts';
import type { QueueLimit } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import type { CounterEntry } from './projection.ts';

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
 * key (`of_key`).
 */
export const luaCheckQueueLimits = `
local function check_queue_limits(limits, created)
  local index = 0
  for position, limit, field in string.gmatch(limits, '(%d+)=(%d+)=([^,]+)') do
    local key, enhancements = KEYS[tonumber(position)], string.match(field, '^-(%d+)$')
    local stored = enhancements
      and redis.call('ZCARD', key) + redis.call('ZCARD', KEYS[tonumber(enhancements)]) + created.all
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
