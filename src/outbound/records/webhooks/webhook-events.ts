import type { Cluster, Redis } from 'ioredis';
import type { DispatchTask, OnUnreadable, WebhookEvents } from '../../../domain/ports.ts';
import type { Delivery } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { encodeVersioned } from '../versioned-json.ts';
import { decodeEvent } from './event-content.ts';
import { dispatchScript } from './scripts.ts';

const noJob = '-';

/** Creates the store of events in Redis. The scripts that change a job write its event, see `../scripts/write-event.ts`. */
export function createWebhookEvents(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): WebhookEvents {
  const dispatchEvent = createScript(redis, dispatchScript);

  const keysOf = ({ tenant, id, destinationKey, jobId }: Delivery) => [
    keys.delivery(tenant, id),
    keys.deliveryQueue(tenant, destinationKey),
    keys.destination(tenant, destinationKey),
    keys.deliveriesBy(tenant, destinationKey),
    keys.deliveriesBy(tenant, jobId ?? noJob),
  ];

  return {
    undispatched: (tenant, id) =>
      translated(async () => {
        const [text, writtenAt] = await Promise.all([
          redis.get(keys.event(tenant, id)),
          redis.zscore(keys.outbox(tenant), id),
        ]);
        if (text === null || writtenAt === null) return null;
        try {
          const content = decodeEvent(tenant, id, text);
          return content.kind === 'job' ? content.event : null;
        } catch (error) {
          // The event stays in the outbox, because the release that wrote it can read it.
          onUnreadable?.({ kind: 'event', tenant, id, error });
          return null;
        }
      }),
    listUndispatched: (tenant, { beforeMs, limit, offset = 0 }) =>
      translated(() =>
        redis.zrangebyscore(keys.outbox(tenant), '-inf', `(${beforeMs}`, 'LIMIT', offset, limit),
      ),
    dispatch: ({ tenant, id }, { deliveries, nowMs, keepMs }) =>
      translated(async () => {
        const leaseEpochs = (await dispatchEvent(
          [
            keys.outbox(tenant),
            keys.event(tenant, id),
            keys.deliveries(tenant),
            keys.deliveriesBy(tenant, 'pending'),
            keys.deliveryQueues(tenant),
            ...deliveries.flatMap(keysOf),
          ],
          [
            ...[id, keepMs, nowMs],
            ...deliveries.flatMap((each) => [each.id, encodeVersioned(each), each.destinationKey]),
          ],
        )) as string[];
        return leaseEpochs.flatMap((leaseEpoch, i) =>
          leaseEpoch === '' ? [] : [dispatchTaskOf(deliveries[i]?.destinationKey ?? '', leaseEpoch)],
        );
      }),
    hasContent: (tenant, id) => translated(async () => (await redis.exists(keys.event(tenant, id))) === 1),
    remove: (tenant, ids) =>
      translated(async () => {
        await redis
          .multi()
          .del(...ids.map((id) => keys.event(tenant, id)))
          .zrem(keys.outbox(tenant), ...ids)
          .exec();
      }),
  };
}

/** Returns the task for a run in a lease epoch, see `createDeliveryQueues`. */
export function dispatchTaskOf(destinationKey: string, leaseEpoch: string | null): DispatchTask {
  return { destinationKey, taskId: `${destinationKey}-${leaseEpoch ?? 0}` };
}
