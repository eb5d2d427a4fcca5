import type { Cluster, Redis } from 'ioredis';
import type { DestinationHealth } from '../../../domain/destination-health.ts';
import type { DeliveryQueues } from '../../../domain/ports.ts';
import { Delivery } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned } from '../versioned-json.ts';
import { keepScript, releaseScript, takeScript } from './scripts.ts';
import { dispatchTaskOf } from './webhook-events.ts';

/** How long is remembered how a receiver does that gets no mail; longer than any schedule. */
const rememberMs = 7 * 24 * 3_600_000;

/**
 * Mailboxes in Redis: a sorted set of pending deliveries for each receiver, and who may empty it.
 *
 * A queue task only says that there is mail. Its id holds the turn, which changes whenever the right is taken or given
 * back: many wakes within one turn are one task, and one that comes after a run has ended is a task of its own. While a
 * run is under way new mail needs no task: the run looks again before it leaves, and one task watches over its death.
 */
export function createDeliveryQueues(redis: Redis | Cluster, keys: Keys): DeliveryQueues {
  const acquireLease = createScript(redis, takeScript);
  const renewLease = createScript(redis, keepScript);
  const releaseLease = createScript(redis, releaseScript);
  const dispatchTask = async (tenant: string, destinationKey: string) =>
    dispatchTaskOf(destinationKey, await redis.hget(keys.destination(tenant, destinationKey), 'turn'));

  return {
    take: (tenant, destinationKey, { run, nowMs, leaseMs }) =>
      translated(async () => {
        const [heldUntil, ...health] = (await acquireLease(
          [keys.destination(tenant, destinationKey)],
          [run, nowMs, nowMs + leaseMs],
        )) as (string | null)[];
        return heldUntil
          ? { heldUntilMs: Number(heldUntil), isWatched: health[0] === '1' }
          : { health: healthOf(health) };
      }),
    keep: (tenant, destinationKey, { run, nowMs, leaseMs, health }) =>
      translated(async () => {
        const { failures, failingSince, blockedUntil } = health;
        const kept = await renewLease(
          [keys.destination(tenant, destinationKey)],
          [run, nowMs + leaseMs, failures, failingSince ?? 0, Math.ceil(blockedUntil ?? 0)],
        );
        return kept === 1;
      }),
    due: (tenant, destinationKey, { nowMs, limit }) =>
      translated(async () => {
        const deliveryQueue = keys.deliveryQueue(tenant, destinationKey);
        const ids = await redis.zrangebyscore(deliveryQueue, '-inf', nowMs, 'LIMIT', 0, limit);
        if (ids.length === 0) return [];
        const rows = await redis.mget(...ids.map((id) => keys.delivery(tenant, id)));
        const lost = ids.filter((_, i) => rows[i] === null);
        if (lost.length > 0) await redis.zrem(deliveryQueue, ...lost);
        const deliveries = rows.flatMap((row) => (row === null ? [] : [decodeVersioned(Delivery, row)]));
        if (deliveries.length === 0) return [];
        const bodies = await redis.mget(...deliveries.map(({ eventId }) => keys.event(tenant, eventId)));
        return deliveries.map((delivery, i) => ({ delivery, body: bodies[i] ?? null }));
      }),
    release: (tenant, destinationKey, { run, nowMs }) =>
      translated(async () => {
        const due = await releaseLease(
          [
            keys.destination(tenant, destinationKey),
            keys.deliveryQueue(tenant, destinationKey),
            keys.deliveryQueues(tenant),
          ],
          [run, nowMs, destinationKey, rememberMs],
        );
        return due === null ? null : { againInMs: Math.max(0, Math.ceil(Number(due) - nowMs)) };
      }),
    health: (tenant, destinationKeys) =>
      translated(() =>
        Promise.all(
          destinationKeys.map(async (destinationKey) =>
            healthOf(
              await redis.hmget(
                keys.destination(tenant, destinationKey),
                'failures',
                'failingSince',
                'blockedUntil',
              ),
            ),
          ),
        ),
      ),
    resetBreaker: (tenant, destinationKey) =>
      translated(async () => {
        await redis.hdel(
          keys.destination(tenant, destinationKey),
          'failures',
          'failingSince',
          'blockedUntil',
        );
      }),
    overdue: (tenant, beforeMs, limit, offset = 0) =>
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
            const [until, blockedUntil, leaseEpoch] = await redis.hmget(
              destination,
              'until',
              'blockedUntil',
              'turn',
            );
            const isLookedAfter = Math.max(Number(until ?? 0), Number(blockedUntil ?? 0)) > beforeMs;
            return isLookedAfter ? [] : [dispatchTaskOf(destinationKey, leaseEpoch ?? null)];
          }),
        );
        return { dispatchTasks: dispatchTasks.flat(), isLast: destinationKeys.length < limit };
      }),
    dispatchTask: (tenant, destinationKey) => translated(() => dispatchTask(tenant, destinationKey)),
    countPending: (tenant) => translated(() => redis.zcard(keys.deliveriesBy(tenant, 'pending'))),
  };
}

function healthOf([failures, failingSince, blockedUntil]: readonly (string | null)[]): DestinationHealth {
  const given = (text: string | null | undefined) => Number(text ?? 0) || undefined;
  return {
    failures: Number(failures ?? 0),
    failingSince: given(failingSince),
    blockedUntil: given(blockedUntil),
  };
}
