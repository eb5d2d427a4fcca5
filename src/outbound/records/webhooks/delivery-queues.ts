import type { Cluster, Redis } from 'ioredis';
import type { ReceiverHealth } from '../../../domain/endpoint-health.ts';
import type { Mailboxes } from '../../../domain/ports.ts';
import { Delivery } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned } from '../versioned-json.ts';
import { keepScript, releaseScript, takeScript } from './scripts.ts';
import { wakeOf } from './webhook-events.ts';

/** How long is remembered how a receiver does that gets no mail; longer than any schedule. */
const rememberMs = 7 * 24 * 3_600_000;

/**
 * Mailboxes in Redis: a sorted set of pending deliveries for each receiver, and who may empty it.
 *
 * A queue task only says that there is mail. Its id holds the turn, which changes whenever the right is taken or given
 * back: many wakes within one turn are one task, and one that comes after a run has ended is a task of its own. While a
 * run is under way new mail needs no task: the run looks again before it leaves, and one task watches over its death.
 */
export function createMailboxes(redis: Redis | Cluster, keys: Keys): Mailboxes {
  const takeRight = createScript(redis, takeScript);
  const keepRight = createScript(redis, keepScript);
  const releaseRight = createScript(redis, releaseScript);
  const wake = async (tenant: string, target: string) =>
    wakeOf(target, await redis.hget(keys.receiver(tenant, target), 'turn'));

  return {
    take: (tenant, target, { run, nowMs, leaseMs }) =>
      translated(async () => {
        const [heldUntil, ...health] = (await takeRight(
          [keys.receiver(tenant, target)],
          [run, nowMs, nowMs + leaseMs],
        )) as (string | null)[];
        return heldUntil
          ? { heldUntilMs: Number(heldUntil), isWatched: health[0] === '1' }
          : { health: healthOf(health) };
      }),
    keep: (tenant, target, { run, nowMs, leaseMs, health }) =>
      translated(async () => {
        const { failures, failingSince, restUntil } = health;
        const kept = await keepRight(
          [keys.receiver(tenant, target)],
          [run, nowMs + leaseMs, failures, failingSince ?? 0, Math.ceil(restUntil ?? 0)],
        );
        return kept === 1;
      }),
    due: (tenant, target, { nowMs, limit }) =>
      translated(async () => {
        const mailbox = keys.mailbox(tenant, target);
        const ids = await redis.zrangebyscore(mailbox, '-inf', nowMs, 'LIMIT', 0, limit);
        if (ids.length === 0) return [];
        const rows = await redis.mget(...ids.map((id) => keys.delivery(tenant, id)));
        const lost = ids.filter((_, i) => rows[i] === null);
        if (lost.length > 0) await redis.zrem(mailbox, ...lost);
        const deliveries = rows.flatMap((row) => (row === null ? [] : [decodeVersioned(Delivery, row)]));
        if (deliveries.length === 0) return [];
        const bodies = await redis.mget(...deliveries.map(({ eventId }) => keys.event(tenant, eventId)));
        return deliveries.map((delivery, i) => ({ delivery, body: bodies[i] ?? null }));
      }),
    release: (tenant, target, { run, nowMs }) =>
      translated(async () => {
        const due = await releaseRight(
          [keys.receiver(tenant, target), keys.mailbox(tenant, target), keys.mailboxes(tenant)],
          [run, nowMs, target, rememberMs],
        );
        return due === null ? null : { againInMs: Math.max(0, Math.ceil(Number(due) - nowMs)) };
      }),
    health: (tenant, targets) =>
      translated(() =>
        Promise.all(
          targets.map(async (target) =>
            healthOf(
              await redis.hmget(keys.receiver(tenant, target), 'failures', 'failingSince', 'restUntil'),
            ),
          ),
        ),
      ),
    forgive: (tenant, target) =>
      translated(async () => {
        await redis.hdel(keys.receiver(tenant, target), 'failures', 'failingSince', 'restUntil');
      }),
    overdue: (tenant, beforeMs, limit, offset = 0) =>
      translated(async () => {
        const mailboxes = keys.mailboxes(tenant);
        const targets = await redis.zrangebyscore(mailboxes, '-inf', `(${beforeMs}`, 'LIMIT', offset, limit);
        const wakes = await Promise.all(
          targets.map(async (target) => {
            const receiver = keys.receiver(tenant, target);
            const [until, restUntil, turn] = await redis.hmget(receiver, 'until', 'restUntil', 'turn');
            const isLookedAfter = Math.max(Number(until ?? 0), Number(restUntil ?? 0)) > beforeMs;
            return isLookedAfter ? [] : [wakeOf(target, turn ?? null)];
          }),
        );
        return { wakes: wakes.flat(), isLast: targets.length < limit };
      }),
    wake: (tenant, target) => translated(() => wake(tenant, target)),
    countPending: (tenant) => translated(() => redis.zcard(keys.deliveriesBy(tenant, 'pending'))),
  };
}

function healthOf([failures, failingSince, restUntil]: readonly (string | null)[]): ReceiverHealth {
  const given = (text: string | null | undefined) => Number(text ?? 0) || undefined;
  return {
    failures: Number(failures ?? 0),
    failingSince: given(failingSince),
    restUntil: given(restUntil),
  };
}
