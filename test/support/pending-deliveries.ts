import { Delivery } from '../../src/domain/webhook-delivery.ts';
import { decodeVersioned } from '../../src/outbound/records/versioned-json.ts';
import { queryRedis } from './redis.ts';

/** Reads the pending webhook deliveries of a deployment. */
export async function pendingDeliveries(env: Readonly<Record<string, string>>): Promise<Delivery[]> {
  const { REDIS_URL = '', REDIS_KEY_PREFIX } = env;
  return queryRedis(REDIS_URL, async (redis) => {
    const names = await redis.keys(`${REDIS_KEY_PREFIX}:*:dlv:*`);
    const rows = await Promise.all(names.map((name) => redis.get(name)));
    const deliveries = rows.flatMap((row) => (row === null ? [] : [decodeVersioned(Delivery, row)]));
    return deliveries.filter(({ status }) => status === 'pending');
  });
}
