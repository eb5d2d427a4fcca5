import type { Cluster, Redis } from 'ioredis';
import type { Deliveries, DeliveryQuery } from '../../../domain/ports.ts';
import { Delivery, DeliveryAttempt, deliveryStatuses } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned, encodeVersioned } from '../versioned-json.ts';
import { updateDeliveryScript } from './scripts.ts';

/** Attempts kept of one delivery: two full schedules and some sent by hand. */
const maxAttempts = 30;
/** Most rows looked at for one page of a list; beyond it the page ends early and its cursor goes on from there. */
const maxScanned = 1_000;
const pageSize = 200;

/** The log of deliveries in Redis. See the port for the promises, `../keys.ts` for the layout. */
export function createDeliveries(redis: Redis | Cluster, keys: Keys): Deliveries {
  const updateDelivery = createScript(redis, updateDeliveryScript);
  const decode = (text: string) => decodeVersioned(Delivery, text);

  async function rows(tenant: string, ids: readonly string[]): Promise<Delivery[]> {
    if (ids.length === 0) return [];
    const texts = await redis.mget(...ids.map((id) => keys.delivery(tenant, id)));
    return texts.flatMap((text) => (text === null ? [] : [decode(text)]));
  }

  async function update(
    known: Delivery,
    change: (delivery: Delivery) => Delivery | null,
    attempt?: DeliveryAttempt,
  ): Promise<Delivery | null> {
    const { tenant, id, destinationKey } = known;
    for (let current = known; ; ) {
      const next = change(current);
      if (next === null) return current;
      const after = { ...next, version: current.version + 1 };
      const [outcome, newer] = (await updateDelivery(
        [
          keys.delivery(tenant, id),
          keys.deliveryLog(tenant, id),
          keys.deliveryQueue(tenant, destinationKey),
          keys.deliveryQueues(tenant),
          keys.endedDeliveries(tenant),
          keys.deliveriesBy(tenant, current.status),
          keys.deliveriesBy(tenant, after.status),
        ],
        [
          ...[current.version, encodeVersioned(after), id, destinationKey],
          ...[after.dueAt ?? '', after.finishedAt ?? ''],
          ...[attempt ? JSON.stringify({ ...attempt, no: after.attempts }) : '', maxAttempts],
        ],
      )) as [number, string?];
      if (outcome === 1) return after;
      if (outcome === -1 || newer === undefined) return null;
      current = decode(newer);
    }
  }

  async function remove(deliveries: readonly Delivery[]): Promise<void> {
    const commands = redis.multi();
    for (const { tenant, id, destinationKey, jobId } of deliveries) {
      commands.del(keys.delivery(tenant, id), keys.deliveryLog(tenant, id));
      const statuses = deliveryStatuses.map((status) => keys.deliveriesBy(tenant, status));
      for (const index of [
        ...[
          keys.deliveries(tenant),
          keys.endedDeliveries(tenant),
          keys.deliveryQueue(tenant, destinationKey),
          ...statuses,
        ],
        ...[keys.deliveriesBy(tenant, destinationKey), ...(jobId ? [keys.deliveriesBy(tenant, jobId)] : [])],
      ])
        commands.zrem(index, id);
    }
    await commands.exec();
  }

  return {
    get: (tenant, id) => translated(async () => (await rows(tenant, [id]))[0] ?? null),
    attempts: (tenant, ids) =>
      translated(() =>
        Promise.all(
          ids.map(async (id) => {
            const texts = await redis.lrange(keys.deliveryLog(tenant, id), 0, -1);
            return texts.map((text) => DeliveryAttempt.parse(JSON.parse(text)));
          }),
        ),
      ),
    list: (tenant, query) =>
      translated(async () => {
        const index = indexFor(keys, tenant, query);
        let below = query.beforeId === undefined ? '+' : `(${query.beforeId}`;
        const deliveries: Delivery[] = [];
        for (let scanned = 0; scanned < maxScanned; ) {
          const wanted = query.limit - deliveries.length + 1;
          const ids = await redis.zrevrangebylex(index, below, '-', 'LIMIT', 0, wanted);
          for (const delivery of await rows(tenant, ids)) {
            if (!matches(delivery, query)) continue;
            if (deliveries.length === query.limit)
              return { deliveries, nextBeforeId: deliveries.at(-1)?.id ?? null };
            deliveries.push(delivery);
          }
          if (ids.length < wanted) return { deliveries, nextBeforeId: null };
          scanned += ids.length;
          below = `(${ids.at(-1)}`;
        }
        return { deliveries, nextBeforeId: below.slice(1) };
      }),
    enter: (delivery, attempt, { body, keepMs }) =>
      translated(async () => {
        const { tenant, id, destinationKey, status, eventId, finishedAt = 0 } = delivery;
        // In another slot, so before: a tenant that has only tested so far would never be swept.
        await redis.sadd(keys.tenants, tenant);
        await redis
          .multi()
          .set(keys.event(tenant, eventId), body, 'PX', keepMs)
          .set(keys.delivery(tenant, id), encodeVersioned(delivery))
          .rpush(keys.deliveryLog(tenant, id), JSON.stringify(attempt))
          .zadd(keys.deliveries(tenant), 0, id)
          .zadd(keys.deliveriesBy(tenant, status), 0, id)
          .zadd(keys.deliveriesBy(tenant, destinationKey), 0, id)
          .zadd(keys.endedDeliveries(tenant), finishedAt, id)
          .exec();
      }),
    update: (known, change, attempt) => translated(() => update(known, change, attempt)),
    removeOf: (tenant, jobId) =>
      translated(async () => {
        const ids = await redis.zrange(keys.deliveriesBy(tenant, jobId), 0, '-1');
        if (ids.length > 0) await remove(await rows(tenant, ids));
      }),
    purge: (tenant, beforeMs) =>
      translated(async () => {
        const ended = keys.endedDeliveries(tenant);
        const ids = await redis.zrangebyscore(ended, '-inf', beforeMs, 'LIMIT', 0, pageSize);
        if (ids.length === 0) return 0;
        await remove(await rows(tenant, ids));
        // Also those whose rows were gone before: they must not come up again.
        await redis.zrem(ended, ...ids);
        return ids.length;
      }),
  };
}

/** The narrowest index that a query names; the rows are tested for the rest of it. */
function indexFor(keys: Keys, tenant: string, { jobId, destinationKey, status }: DeliveryQuery): string {
  const by = jobId ?? destinationKey ?? status;
  return by === undefined ? keys.deliveries(tenant) : keys.deliveriesBy(tenant, by);
}

function matches(delivery: Delivery, { jobId, destinationKey, status }: DeliveryQuery): boolean {
  return (
    (jobId === undefined || delivery.jobId === jobId) &&
    (destinationKey === undefined || delivery.destinationKey === destinationKey) &&
    (status === undefined || delivery.status === status)
  );
}
