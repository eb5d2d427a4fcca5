import type { Cluster, Redis } from 'ioredis';
import { jobStatuses } from '../../../domain/image-job.ts';
import { isKnown } from '../../../domain/open.ts';
import type { DispatchTask, WebhookEvents } from '../../../domain/ports.ts';
import type { Delivery } from '../../../domain/webhook-delivery.ts';
import { eventOf } from '../../../domain/webhook-event.ts';
import type { Keys } from '../keys.ts';
import { decodeRecord } from '../record-codec.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { encodeVersioned } from '../versioned-json.ts';
import { dispatchScript } from './scripts.ts';

const noJob = '-';

/** Events in Redis. The scripts that write the cause of an event also write the event, see `../scripts.ts`. */
export function createWebhookEvents(redis: Redis | Cluster, keys: Keys): WebhookEvents {
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
        const text = await redis.get(keys.event(tenant, id));
        if (!text?.startsWith('img_')) return null;
        const space = text.indexOf(' ');
        const job = decodeRecord(tenant, text.slice(0, space), text.slice(space + 1));
        // Only the release that wrote an unknown status can dispatch its event.
        if (!isKnown(jobStatuses, job.status)) return null;
        return { id, tenant, type: eventOf(job.status), at: job.updatedAt, job };
      }),
    listUndispatched: (tenant, { beforeMs, limit, offset = 0 }) =>
      translated(() =>
        redis.zrangebyscore(keys.outbox(tenant), '-inf', `(${beforeMs}`, 'LIMIT', offset, limit),
      ),
    dispatch: ({ tenant, id }, { body, deliveries, nowMs, keepMs }) =>
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
            ...[id, body, keepMs, nowMs],
            ...deliveries.flatMap((each) => [each.id, encodeVersioned(each), each.destinationKey]),
          ],
        )) as string[];
        return leaseEpochs.flatMap((leaseEpoch, i) =>
          leaseEpoch === '' ? [] : [dispatchTaskOf(deliveries[i]?.destinationKey ?? '', leaseEpoch)],
        );
      }),
    body: (tenant, id) =>
      translated(async () => {
        const text = await redis.get(keys.event(tenant, id));
        return text?.startsWith('{') ? text : null;
      }),
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
