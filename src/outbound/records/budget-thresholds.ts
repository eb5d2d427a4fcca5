import type { Cluster, Redis } from 'ioredis';
import type { WindowName } from '../../domain/budget-window.ts';
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
        const marks = names.map((name, i) => markOf(name, Number(flat[2 * i + 1])));
        return marks.sort((a, b) => a.atMs - b.atMs || a.percent - b.percent);
      }),
    resolve: (tenant, mark, event) => translated(() => resolveThreshold(tenant, mark, event)),
  };
}

function markOf(name: string, atMs: number): ThresholdMark {
  const [owner, kind, windowName = '', percent, limit] = name.split(' ');
  return {
    ...(owner === ownerOf(undefined) ? {} : { keyId: owner }),
    windowName: windowName as WindowName,
    isOf: (cap) => ownerOf(cap.keyId) === owner && kindOf(cap) === kind && cap.windowName === windowName,
    percent: Number(percent),
    // The marks of an earlier release have no limit.
    ...(limit === undefined ? {} : { limitMicroUsd: Number(limit) }),
    atMs,
    name,
  };
}
