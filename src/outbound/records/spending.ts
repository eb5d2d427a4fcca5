import type { Cluster, Redis } from 'ioredis';
import type { Spending } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { fieldOf, ownerOf } from './money-counters.ts';
import { translated } from './store-errors.ts';

/** Creates the reads of the money counters. */
export function createSpending(redis: Redis | Cluster, keys: Keys): Spending {
  return {
    read: (tenant, windows) =>
      translated(async () => {
        if (windows.length === 0) return [];
        const fields = windows.flatMap(({ keyId, windowName }) => {
          const owner = ownerOf(keyId);
          return [fieldOf(owner, windowName, 'held'), fieldOf(owner, windowName, 'spent')];
        });
        const values = (await redis.hmget(keys.spend(tenant), ...fields)).map(Number);
        return windows.map((_, i) => ({
          heldMicroUsd: values[2 * i] ?? 0,
          spentMicroUsd: values[2 * i + 1] ?? 0,
        }));
      }),
  };
}
