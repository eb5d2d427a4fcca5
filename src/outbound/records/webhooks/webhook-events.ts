import type { Cluster, Redis } from 'ioredis';
import type { DispatchTask, OnUnreadable, WebhookEvents } from '../../../domain/ports.ts';
import type { Keys } from '../keys.ts';
import { translated } from '../store-errors.ts';
import { decodeEvent, decodeTenantEvent, parseJobId } from './event-content.ts';
import { createDispatchEvent } from './scripts/dispatch-event.ts';

/** Maximum length of the id of a job, and more. */
const maxIdLength = 64;

/** Creates the store of events in Redis. The scripts that change a job write its event, see `../scripts/write-event.ts`. */
export function createWebhookEvents(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): WebhookEvents {
  const dispatchEvent = createDispatchEvent(redis, keys);

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
          return content.kind === 'job' ? content.event : decodeTenantEvent(tenant, id, content.body);
        } catch (error) {
          // The event stays in the outbox, because the release that wrote it can read it.
          onUnreadable?.({ kind: 'event', tenant, id, error });
          return null;
        }
      }),
    jobIdOf: (tenant, id) =>
      translated(async () => parseJobId(await redis.getrange(keys.event(tenant, id), 0, maxIdLength))),
    listUndispatched: (tenant, { beforeMs, limit, offset = 0 }) =>
      translated(() =>
        redis.zrangebyscore(keys.outbox(tenant), '-inf', `(${beforeMs}`, 'LIMIT', offset, limit),
      ),
    dispatch: ({ tenant, id }, { deliveries, nowMs, contentTtlMs }) =>
      translated(async () => {
        const written = await dispatchEvent({ tenant, eventId: id, deliveries, nowMs, contentTtlMs });
        return written.flatMap(({ destinationKey, leaseEpoch }) =>
          leaseEpoch === null ? [] : [dispatchTaskOf(destinationKey, leaseEpoch)],
        );
      }),
    hasContent: (tenant, id) => translated(async () => (await redis.exists(keys.event(tenant, id))) === 1),
    remove: (tenant, ids) =>
      translated(async () => {
        // The outbox goes first, because no event is dispatched from then on. Not a transaction, because a full Redis
        // refuses all of them.
        await redis.zrem(keys.outbox(tenant), ...ids);
        await redis.del(...ids.map((id) => keys.event(tenant, id)));
      }),
  };
}

/** Returns the task for a run in a lease epoch, see `createDeliveryQueues`. */
export function dispatchTaskOf(destinationKey: string, leaseEpoch: string | null): DispatchTask {
  return { destinationKey, taskId: `${destinationKey}-${leaseEpoch ?? 0}` };
}
