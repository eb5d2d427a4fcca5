import type { Cluster, Redis } from 'ioredis';
import type { Delivery, DeliveryAttempt } from '../../../../domain/webhook-delivery.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { encodeVersioned, luaVersionOf } from '../../versioned-json.ts';

interface DeliveryUpdate {
  /** Delivery that the change is based on. */
  readonly before: Delivery;
  /** Delivery to write, with its new version. */
  readonly after: Delivery;
  /** Attempt to append to the log. */
  readonly attempt?: DeliveryAttempt | undefined;
}

/** Result of an update. `conflict` means that another process wrote first. `record` is the newer delivery as stored. */
type DeliveryUpdateReply =
  | { readonly kind: 'written' }
  | { readonly kind: 'conflict'; readonly record: string }
  | { readonly kind: 'missing' };

/** Maximum number of attempts in the log of one delivery: two full schedules and some redeliveries. */
const maxAttempts = 30;

/**
 * KEYS 1 row, 2 attempts, 3 delivery queue, 4 destinations with pending deliveries, 5 ended deliveries, 6 deliveries of the
 *      old status, 7 deliveries of the new status
 * ARGV 1 expected version, 2 row, 3 id, 4 destination key, 5 due at or '', 6 ended at or '', 7 attempt or '',
 *      8 maximum number of stored attempts
 * Returns {'written'} | {'conflict', row} | {'missing'}
 */
const source = `${luaVersionOf}
local row = redis.call('GET', KEYS[1])
if not row then return {'missing'} end
if version_of(row) ~= ARGV[1] then return {'conflict', row} end
local id, destination_key, due_at, ended_at, attempt = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
redis.call('SET', KEYS[1], ARGV[2])
if due_at ~= '' then
  redis.call('ZADD', KEYS[3], due_at, id)
  redis.call('ZADD', KEYS[4], 'LT', due_at, destination_key)
else
  redis.call('ZREM', KEYS[3], id)
end
if ended_at ~= '' then redis.call('ZADD', KEYS[5], ended_at, id) else redis.call('ZREM', KEYS[5], id) end
if KEYS[6] ~= KEYS[7] then
  redis.call('ZREM', KEYS[6], id)
  redis.call('ZADD', KEYS[7], 0, id)
end
if attempt ~= '' then
  redis.call('RPUSH', KEYS[2], attempt)
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[8]), -1)
end
return {'written'}
`;

/**
 * Prepares the compare-and-set of a delivery together with its entry in the delivery queue, its attempts and the indexes.
 */
export function createUpdateDelivery(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async ({ before, after, attempt }: DeliveryUpdate): Promise<DeliveryUpdateReply> => {
    const { tenant, id, destinationKey } = before;
    const reply = await run(
      [
        keys.delivery(tenant, id),
        keys.deliveryLog(tenant, id),
        keys.deliveryQueue(tenant, destinationKey),
        keys.deliveryQueues(tenant),
        keys.endedDeliveries(tenant),
        keys.deliveriesBy(tenant, before.status),
        keys.deliveriesBy(tenant, after.status),
      ],
      [
        ...[before.version, encodeVersioned(after), id, destinationKey],
        ...[after.dueAt ?? '', after.finishedAt ?? ''],
        ...[attempt ? JSON.stringify({ ...attempt, no: after.attempts }) : '', maxAttempts],
      ],
    );
    return parseReply(reply as string[]);
  };
}

function parseReply([kind, record = '']: readonly string[]): DeliveryUpdateReply {
  if (kind === 'written') return { kind };
  return kind === 'conflict' ? { kind, record } : { kind: 'missing' };
}
