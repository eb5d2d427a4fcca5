import type { Cluster, Redis } from 'ioredis';
import type { Delivery } from '../../../../domain/webhook-delivery.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { encodeVersioned } from '../../versioned-json.ts';
import { luaLeaseEpoch } from './lease-epoch.ts';

interface EventDispatch {
  readonly tenant: string;
  readonly eventId: string;
  readonly deliveries: readonly Delivery[];
  readonly nowMs: number;
  /** Lifetime of the content of the event, in milliseconds. */
  readonly contentTtlMs: number;
}

/** The lease epoch of the delivery queue of a written delivery; `null` if a run holds the lease. */
interface WrittenDelivery {
  readonly destinationKey: string;
  readonly leaseEpoch: string | null;
}

/**
 * KEYS 1 outbox, 2 event, 3 all deliveries, 4 pending deliveries, 5 destinations with pending deliveries, then for each
 *      delivery: its row, its delivery queue, its destination, the deliveries of its destination, the deliveries of its job, or
 *      once more of its destination
 * ARGV 1 id of the event, 2 TTL of its content in ms, 3 now, then for each delivery: id, row, destination key
 * Returns for each delivery the lease epoch of its delivery queue, or '' if a run holds the lease. Returns nothing if the event
 * is not in the outbox.
 */
const source = `${luaLeaseEpoch}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {} end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local now = ARGV[3]
local lease_epochs = {}
local arg = 4
for key = 6, #KEYS, 5 do
  local id, record, destination_key = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2]
  redis.call('SET', KEYS[key], record)
  redis.call('ZADD', KEYS[key + 1], now, id)
  redis.call('ZADD', KEYS[5], 'LT', now, destination_key)
  for _, index in ipairs({KEYS[3], KEYS[4], KEYS[key + 3], KEYS[key + 4]}) do redis.call('ZADD', index, 0, id) end
  local lease_until = redis.call('HGET', KEYS[key + 2], 'leaseUntil')
  local is_held = lease_until and tonumber(lease_until) > tonumber(now)
  lease_epochs[#lease_epochs + 1] = is_held and '' or lease_epoch(KEYS[key + 2], now)
  arg = arg + 3
end
return lease_epochs
`;

/**
 * Prepares the step that writes the deliveries of an event and removes the event from the outbox. It does nothing if the event
 * is not in the outbox. A run that holds the lease of a delivery queue needs no new task, because it checks the queue again
 * before it releases the lease.
 */
export function createDispatchEvent(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  const keysOf = ({ tenant, id, destinationKey, jobId }: Delivery) => [
    keys.delivery(tenant, id),
    keys.deliveryQueue(tenant, destinationKey),
    keys.destination(tenant, destinationKey),
    keys.deliveriesBy(tenant, destinationKey),
    keys.deliveriesBy(tenant, jobId ?? destinationKey),
  ];
  return async (dispatch: EventDispatch): Promise<WrittenDelivery[]> => {
    const { tenant, eventId, deliveries, nowMs, contentTtlMs } = dispatch;
    const reply = await run(
      [
        keys.outbox(tenant),
        keys.event(tenant, eventId),
        keys.deliveries(tenant),
        keys.deliveriesBy(tenant, 'pending'),
        keys.deliveryQueues(tenant),
        ...deliveries.flatMap(keysOf),
      ],
      [
        ...[eventId, contentTtlMs, nowMs],
        ...deliveries.flatMap((each) => [each.id, encodeVersioned(each), each.destinationKey]),
      ],
    );
    return parseReply(deliveries, reply as string[]);
  };
}

function parseReply(deliveries: readonly Delivery[], leaseEpochs: readonly string[]): WrittenDelivery[] {
  return leaseEpochs.map((leaseEpoch, i) => ({
    destinationKey: deliveries[i]?.destinationKey ?? '',
    leaseEpoch: leaseEpoch === '' ? null : leaseEpoch,
  }));
}
