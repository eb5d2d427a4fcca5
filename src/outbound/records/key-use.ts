import type { Cluster, Redis } from 'ioredis';
import type { KeyUse } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** Creates the times of last use in Redis: one hash per tenant, so that many keys cost one command. */
export function createKeyUse(redis: Redis | Cluster, keys: Keys): KeyUse {
  return {
    record: (uses) =>
      translated(async () => {
        const timesOf = new Map<string, (string | number)[]>();
        for (const { tenant, id, at } of uses) {
          timesOf.set(tenant, [...(timesOf.get(tenant) ?? []), id, at]);
        }
        await Promise.all([...timesOf].map(([tenant, times]) => redis.hset(keys.keyUse(tenant), ...times)));
      }),
    read: (list) =>
      translated(() =>
        Promise.all(
          list.map(async ({ tenant, id }) => {
            const at = await redis.hget(keys.keyUse(tenant), id);
            return at === null ? null : Number(at);
          }),
        ),
      ),
  };
}
