import type { Cluster, Redis } from 'ioredis';
import type { Deliveries } from '../../domain/ports.ts';
import { Delivery } from '../../domain/webhook-event.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** Pending webhook deliveries. They are created by the scripts that write their cause. */
export function createDeliveries(redis: Redis | Cluster, keys: Keys): Deliveries {
  return {
    get: (tenant, id) =>
      translated(async () => {
        const text = await redis.get(keys.delivery(tenant, id));
        return text === null ? null : Delivery.parse(JSON.parse(text));
      }),
    save: (delivery, dueAtMs) =>
      translated(async () => {
        const { tenant, id } = delivery;
        await redis
          .multi()
          .set(keys.delivery(tenant, id), JSON.stringify(delivery), 'XX')
          .zadd(keys.outbox(tenant), 'XX', dueAtMs, id)
          .exec();
      }),
    remove: (tenant, ids) =>
      translated(async () => {
        await redis
          .multi()
          .del(...ids.map((id) => keys.delivery(tenant, id)))
          .zrem(keys.outbox(tenant), ...ids)
          .exec();
      }),
    due: (tenant, beforeMs, limit) =>
      translated(() => redis.zrangebyscore(keys.outbox(tenant), '-inf', `(${beforeMs}`, 'LIMIT', 0, limit)),
  };
}
