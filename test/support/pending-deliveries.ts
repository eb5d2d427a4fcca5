import { Delivery } from '../../src/domain/webhook-event.ts';
import { askRedis } from './redis.ts';

/** The webhook deliveries of a deployment that are not done yet. */
export async function pendingDeliveries(env: Readonly<Record<string, string>>): Promise<Delivery[]> {
  const { REDIS_URL = '', REDIS_KEY_PREFIX } = env;
  return askRedis(REDIS_URL, async (redis) => {
    const names = await redis.keys(`${REDIS_KEY_PREFIX}:*:dlv:*`);
    const rows = await Promise.all(names.map((name) => redis.get(name)));
    return rows.flatMap((row) => (row === null ? [] : [Delivery.parse(JSON.parse(row))]));
  });
}
