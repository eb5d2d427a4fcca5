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
        const marks: ThresholdMark[] = [];
        // The marks of a newer release stay, and must not hide those behind them.
        for (let from = 0; marks.length < limit; from += limit) {
          const range = [from, String(from + limit - 1)] as const;
          const flat = await redis.zrange(keys.thresholds(tenant), ...range, 'WITHSCORES');
          const names = flat.filter((_, i) => i % 2 === 0);
          marks.push(...names.flatMap((name, i) => markOf(name, Number(flat[2 * i + 1]))));
          if (names.length < limit) break;
        }
        return marks.slice(0, limit).sort((a, b) => a.atMs - b.atMs || a.percent - b.percent);
      }),
    resolve: (tenant, mark, event) => translated(() => resolveThreshold(tenant, mark, event)),
  };
}

/** Names of this release: owner, kind, window, share and limit. */
const markName = /^(t|key_\S+) ([hs][dwmt]) (total|[dwm]\d+) (\d+)(?: (\d+))?$/;

/** Returns the mark of a name; nothing if only a newer release knows its owner or window. */
function markOf(name: string, atMs: number): ThresholdMark[] {
  const [, owner, kind, windowName = '', percent, limit] = markName.exec(name) ?? [];
  if (owner === undefined) return [];
  const mark: ThresholdMark = {
    ...(owner === ownerOf(undefined) ? {} : { keyId: owner }),
    windowName: windowName as WindowName,
    isOf: (cap) => ownerOf(cap.keyId) === owner && kindOf(cap) === kind && cap.windowName === windowName,
    percent: Number(percent),
    // The marks of an earlier release have no limit.
    ...(limit === undefined ? {} : { limitMicroUsd: Number(limit) }),
    atMs,
    name,
  };
  return [mark];
}
