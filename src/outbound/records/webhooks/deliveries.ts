import type { Cluster, Redis } from 'ioredis';
import type { Deliveries, DeliveryQuery, OnUnreadable } from '../../../domain/ports.ts';
import { Delivery, DeliveryAttempt, deliveryStatuses } from '../../../domain/webhook-delivery.ts';
import type { Keys } from '../keys.ts';
import { readableRows } from '../readable-rows.ts';
import { translated } from '../store-errors.ts';
import { encodeVersioned } from '../versioned-json.ts';
import { createVersionedRows } from '../versioned-rows.ts';
import { createRemoveDeliveries } from './scripts/remove-deliveries.ts';
import { createUpdateDelivery } from './scripts/update-delivery.ts';

/** Maximum number of rows read for one page of a list. Above it, the page ends early and its cursor continues there. */
const maxScanned = 1_000;
const pageSize = 200;
/** Maximum number of stored test deliveries of a tenant. A caller can make them as fast as its own endpoint responds. */
const maxTests = 1_000;

/** Creates the delivery log in Redis. The port states the guarantees, and `../keys.ts` the layout. */
export function createDeliveries(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): Deliveries {
  const updateDelivery = createUpdateDelivery(redis, keys);
  const removeDeliveries = createRemoveDeliveries(redis);
  const { decode, get, getAll } = createVersionedRows(redis, {
    kind: 'delivery',
    schema: Delivery,
    keyOf: keys.delivery,
    onUnreadable,
  });

  async function attempts(tenant: string, id: string): Promise<DeliveryAttempt[]> {
    const texts = await redis.lrange(keys.deliveryLog(tenant, id), 0, -1);
    return readableRows(
      texts.map(() => id),
      texts,
      {
        decode: (text) => DeliveryAttempt.parse(JSON.parse(text)),
        onUnreadable: (_id, error) => onUnreadable?.({ kind: 'delivery_attempt', tenant, id, error }),
      },
    );
  }

  async function update(
    known: Delivery,
    change: (delivery: Delivery) => Delivery | null,
    attempt?: DeliveryAttempt,
  ): Promise<Delivery | null> {
    for (let current = known; ; ) {
      const next = change(current);
      if (next === null) return current;
      const after = { ...next, version: current.version + 1 };
      const reply = await updateDelivery({ before: current, after, attempt });
      if (reply.kind === 'written') return after;
      if (reply.kind === 'missing') return null;
      current = decode(reply.record);
    }
  }

  /** Removes deliveries with their log and indexes, even if a row is missing or unreadable. */
  async function remove(tenant: string, ids: readonly string[], jobId?: string): Promise<void> {
    const found = await getAll(tenant, ids);
    const listed = [...deliveryStatuses, ...(jobId ? [jobId] : [])].map((by) =>
      keys.deliveriesBy(tenant, by),
    );
    const all = [keys.deliveries(tenant), keys.endedDeliveries(tenant), keys.testDeliveries(tenant)];
    const shared = [...all, ...listed];
    const own = found.flatMap(({ id, destinationKey, status, jobId: owner = '' }) => [
      { index: keys.deliveryQueue(tenant, destinationKey), ids: [id] },
      ...[destinationKey, status, owner].map((by) => ({ index: keys.deliveriesBy(tenant, by), ids: [id] })),
    ]);
    await removeDeliveries({
      deleted: [
        ...ids.flatMap((id) => [keys.delivery(tenant, id), keys.deliveryLog(tenant, id)]),
        // The event of a test has no other delivery.
        ...found.filter(isTest).map(({ eventId }) => keys.event(tenant, eventId)),
        // Earlier releases wrote an index of deliveries without a job, which nothing reads.
        keys.deliveriesBy(tenant, '-'),
      ],
      entries: [...shared.map((index) => ({ index, ids })), ...own],
    });
  }

  async function removeOldTests(tenant: string): Promise<void> {
    const old = await redis.zrange(keys.testDeliveries(tenant), 0, String(-1 - maxTests));
    if (old.length > 0) await remove(tenant, old);
  }

  return {
    get: (tenant, id) => translated(() => get(tenant, id)),
    attempts: (tenant, ids) => translated(() => Promise.all(ids.map((id) => attempts(tenant, id)))),
    list: (tenant, query) =>
      translated(async () => {
        const index = indexFor(keys, tenant, query);
        let below = query.beforeId === undefined ? '+' : `(${query.beforeId}`;
        const deliveries: Delivery[] = [];
        for (let scanned = 0; scanned < maxScanned; ) {
          const wanted = query.limit - deliveries.length + 1;
          const ids = await redis.zrevrangebylex(index, below, '-', 'LIMIT', 0, wanted);
          for (const delivery of await getAll(tenant, ids)) {
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
    createEnded: (delivery, attempt, { body, contentTtlMs }) =>
      translated(async () => {
        const { tenant, id, destinationKey, status, eventId, finishedAt = 0 } = delivery;
        // Not in the transaction, because the key is in another hash slot. It is written first, because the sweeper must know
        // a tenant that has sent only test events.
        await redis.sadd(keys.tenants, tenant);
        await redis
          .multi()
          .set(keys.event(tenant, eventId), body, 'PX', contentTtlMs)
          .set(keys.delivery(tenant, id), encodeVersioned(delivery))
          .rpush(keys.deliveryLog(tenant, id), JSON.stringify(attempt))
          .zadd(keys.deliveries(tenant), 0, id)
          .zadd(keys.deliveriesBy(tenant, status), 0, id)
          .zadd(keys.deliveriesBy(tenant, destinationKey), 0, id)
          .zadd(keys.endedDeliveries(tenant), finishedAt, id)
          .zadd(keys.testDeliveries(tenant), finishedAt, id)
          .exec();
        await removeOldTests(tenant);
      }),
    update: (known, change, attempt) => translated(() => update(known, change, attempt)),
    removeOf: (tenant, jobId) =>
      translated(async () => {
        const ids = await redis.zrange(keys.deliveriesBy(tenant, jobId), 0, '-1');
        if (ids.length > 0) await remove(tenant, ids, jobId);
      }),
    purge: (tenant, beforeMs) =>
      translated(async () => {
        const ended = keys.endedDeliveries(tenant);
        const ids = await redis.zrangebyscore(ended, '-inf', beforeMs, 'LIMIT', 0, pageSize);
        if (ids.length === 0) return 0;
        await remove(tenant, ids);
        return ids.length;
      }),
  };
}

const isTest = ({ type }: Delivery): boolean => type === 'webhook.test';

/** Returns the narrowest index of a query. `matches` tests the remaining conditions on the rows. */
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
