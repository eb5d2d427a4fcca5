import type { Cluster, Redis } from 'ioredis';
import { isKnown } from '../../../domain/open.ts';
import type { DeliveryQueues, OnUnreadable } from '../../../domain/ports.ts';
import { Delivery, deliveryStatuses } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { readableRows } from '../readable-rows.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned } from '../versioned-json.ts';
import { healthFields, healthOf } from './destination-health-fields.ts';
import { decodeEvent } from './event-content.ts';
import { createAcquireLease } from './scripts/acquire-lease.ts';
import { createInterruptRun } from './scripts/interrupt-run.ts';
import { createReadLeaseEpoch } from './scripts/lease-epoch.ts';
import { createReleaseLease } from './scripts/release-lease.ts';
import { createRenewLease } from './scripts/renew-lease.ts';
import { dispatchTaskOf } from './webhook-events.ts';

/** Delay before the next read of a delivery that only another release can decode, in milliseconds. */
const foreignRetryMs = 300_000;

type PendingDelivery = Awaited<ReturnType<DeliveryQueues['due']>>[number];

/**
 * Creates the delivery queues in Redis: a sorted set of pending deliveries for each destination, and the lease of each set.
 *
 * A dispatch task only starts a run. Its id contains the lease epoch, which changes when a run acquires or releases the
 * lease. All tasks of one epoch are therefore one task, and a task enqueued after the end of a run is a new task.
 *
 * New deliveries need no task while a run holds the lease, because the run checks the queue again before it releases the
 * lease. One follow-up task covers the crash of the run.
 */
export function createDeliveryQueues(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): DeliveryQueues {
  const acquireLease = createAcquireLease(redis, keys);
  const renewLease = createRenewLease(redis, keys);
  const releaseLease = createReleaseLease(redis, keys);
  const interruptRun = createInterruptRun(redis, keys);
  const decode = (text: string) => decodeVersioned(Delivery, text);
  const readLeaseEpoch = createReadLeaseEpoch(redis, keys);
  const dispatchTask = async (tenant: string, destinationKey: string) =>
    dispatchTaskOf(destinationKey, await readLeaseEpoch(tenant, destinationKey));

  const due: DeliveryQueues['due'] = async (tenant, destinationKey, { nowMs, limit }) => {
    const deliveryQueue = keys.deliveryQueue(tenant, destinationKey);
    const ids = await redis.zrangebyscore(deliveryQueue, '-inf', nowMs, 'LIMIT', 0, limit);
    if (ids.length === 0) return [];
    const rows = await redis.mget(...ids.map((id) => keys.delivery(tenant, id)));
    const lost = ids.filter((_, i) => rows[i] === null);
    if (lost.length > 0) await redis.zrem(deliveryQueue, ...lost);
    const foreign: string[] = [];
    const skip = (id: string, error?: unknown) => {
      foreign.push(id);
      if (error !== undefined) onUnreadable?.({ kind: 'delivery', tenant, id, error });
    };
    const deliveries = readableRows(ids, rows, { decode, onUnreadable: skip });
    for (const { id, status } of deliveries) if (!isKnown(deliveryStatuses, status)) skip(id);
    const known = deliveries.filter(({ id }) => !foreign.includes(id));
    const events =
      known.length > 0 ? await redis.mget(...known.map(({ eventId }) => keys.event(tenant, eventId))) : [];
    const found = known.flatMap<PendingDelivery>((delivery, i) => {
      const text = events[i] ?? null;
      if (text === null) return [{ delivery, content: null }];
      try {
        return [{ delivery, content: decodeEvent(tenant, delivery.eventId, text) }];
      } catch (error) {
        skip(delivery.id, error);
        return [];
      }
    });
    const postponedMs = nowMs + foreignRetryMs;
    if (foreign.length > 0 && Number.isSafeInteger(postponedMs))
      await redis.zadd(deliveryQueue, 'XX', ...foreign.flatMap((id) => [postponedMs, id]));
    return found;
  };

  return {
    acquireLease: (tenant, destinationKey, { run, nowMs, leaseMs }) =>
      translated(() => acquireLease({ tenant, destinationKey, run, nowMs, untilMs: nowMs + leaseMs })),
    renewLease: (tenant, destinationKey, { run, nowMs, leaseMs, health }) =>
      translated(() => renewLease({ tenant, destinationKey, run, untilMs: nowMs + leaseMs, health })),
    due: (tenant, destinationKey, options) => translated(() => due(tenant, destinationKey, options)),
    releaseLease: (tenant, destinationKey, { run, nowMs }) =>
      translated(async () => {
        const dueAt = await releaseLease({ tenant, destinationKey, run, nowMs });
        return dueAt === null ? null : { againInMs: Math.max(0, Math.ceil(dueAt - nowMs)) };
      }),
    health: (tenant, destinationKeys) =>
      translated(() =>
        Promise.all(
          destinationKeys.map(async (destinationKey) =>
            healthOf(await redis.hmget(keys.destination(tenant, destinationKey), ...healthFields)),
          ),
        ),
      ),
    resetBreaker: (tenant, destinationKey) =>
      translated(() => interruptRun({ tenant, destinationKey, resetsHealth: true })),
    interruptRun: (tenant, destinationKey) =>
      translated(() => interruptRun({ tenant, destinationKey, resetsHealth: false })),
    overdue: (tenant, { beforeMs, limit, offset = 0 }) =>
      translated(async () => {
        const deliveryQueues = keys.deliveryQueues(tenant);
        const destinationKeys = await redis.zrangebyscore(
          deliveryQueues,
          '-inf',
          `(${beforeMs}`,
          'LIMIT',
          offset,
          limit,
        );
        const dispatchTasks = await Promise.all(
          destinationKeys.map(async (destinationKey) => {
            const destination = keys.destination(tenant, destinationKey);
            const [leaseUntil, blockedUntil, leaseEpoch] = await redis.hmget(
              destination,
              'leaseUntil',
              'blockedUntil',
              'leaseEpoch',
            );
            const isCovered = Math.max(Number(leaseUntil ?? 0), Number(blockedUntil ?? 0)) > beforeMs;
            return isCovered ? [] : [dispatchTaskOf(destinationKey, leaseEpoch ?? null)];
          }),
        );
        return { dispatchTasks: dispatchTasks.flat(), isLast: destinationKeys.length < limit };
      }),
    dispatchTask: (tenant, destinationKey) => translated(() => dispatchTask(tenant, destinationKey)),
    countPending: (tenant) => translated(() => redis.zcard(keys.deliveriesBy(tenant, 'pending'))),
  };
}
