import type { Cluster, Redis } from 'ioredis';
import { isOldWindow } from '../../domain/budget-window.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';

/** Time for which the counters of a tenant are not searched again, in milliseconds. */
const pauseMs = 86_400_000;
const pageSize = 500;

/**
 * KEYS 1 money counters. ARGV names of windows with their owners. Returns how many were removed.
 * A window with held money stays, because its jobs may still be charged.
 */
const source = `
local removed = 0
for _, name in ipairs(ARGV) do
  if (redis.call('HGET', KEYS[1], name .. '.held') or '0') == '0' then
    if redis.call('HDEL', KEYS[1], name .. '.held', name .. '.spent') > 0 then removed = removed + 1 end
  end
end
return removed
`;

/** Prepares the removal of windows that are long over, so that the hash of a tenant grows with its keys and not with time. */
export function createRemoveOldSpending(redis: Redis | Cluster, keys: Keys) {
  const remove = createScript(redis, source);
  return async (tenant: string, nowMs: number): Promise<number> => {
    const isDue = await redis.set(keys.oldSpending(tenant), '1', 'PX', pauseMs, 'NX');
    if (isDue !== 'OK') return 0;
    let removed = 0;
    let cursor = '0';
    do {
      const [next, flat] = await redis.hscan(keys.spend(tenant), cursor, 'COUNT', pageSize);
      const old = new Set(flat.filter((_, i) => i % 2 === 0).flatMap((field) => oldNameOf(field, nowMs)));
      if (old.size > 0) removed += (await remove([keys.spend(tenant)], [...old])) as number;
      cursor = next;
    } while (cursor !== '0');
    return removed;
  };
}

/** Returns owner and window of a counter if the window is old. */
function oldNameOf(field: string, nowMs: number): string[] {
  const [owner, windowName = '', measure] = field.split('.');
  const isAmount = measure === 'held' || measure === 'spent';
  return isAmount && isOldWindow(windowName, nowMs) ? [`${owner}.${windowName}`] : [];
}
