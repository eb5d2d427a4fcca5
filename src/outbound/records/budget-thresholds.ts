import type { Cluster, Redis } from 'ioredis';
import type { BudgetThresholds, ThresholdMark } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { ownerOf } from './money-counters.ts';
import { kindOf } from './scripts/check-caps.ts';
import { createResolveThreshold } from './scripts/resolve-threshold.ts';
import { translated } from './store-errors.ts';

/** Creates the store of thresholds that no event reports yet. `scripts/check-caps.ts` marks them. */
export function createBudgetThresholds(redis: Redis | Cluster, keys: Keys): BudgetThresholds {
  const resolveThreshold = createResolveThreshold(redis, keys);
  return {
    list: (tenant, limit) =>
      translated(async () => {
        const flat = await redis.zrange(keys.thresholds(tenant), 0, String(limit - 1), 'WITHSCORES');
        const names = flat.filter((_, i) => i % 2 === 0);
        return names.map((name, i) => markOf(name, Number(flat[2 * i + 1])));
      }),
    resolve: (tenant, mark, events) => translated(() => resolveThreshold(tenant, mark, events)),
  };
}

function markOf(name: string, atMs: number): ThresholdMark {
  const [owner, kind, windowName, percent] = name.split(' ');
  return {
    ...(owner === ownerOf(undefined) ? {} : { keyId: owner }),
    isOf: (cap) => ownerOf(cap.keyId) === owner && kindOf(cap) === kind && cap.windowName === windowName,
    percent: Number(percent),
    atMs,
    name,
  };
}
