import type { Cluster, Redis } from 'ioredis';
import type { ModerationThrottle } from '../../domain/ports.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/**
 * KEYS 1 number of blocks in the window, 2 throttle. ARGV 1 max blocks, 2 window in ms, 3 length of the throttle in ms
 * Returns 1 if the tenant is throttled from now on.
 */
const source = `
local blocks = redis.call('INCR', KEYS[1])
if blocks == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if blocks < tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 1
`;

/** Limits of a deployment for prompts that the moderation of the provider blocks. */
export interface ThrottlePolicy {
  /** Number of blocks within `windowMs` after which a tenant is throttled; 0 if tenants are never throttled. */
  readonly maxBlocks: number;
  readonly windowMs: number;
  readonly throttleMs: number;
}

/** Creates the throttle of tenants whose prompts are blocked repeatedly. The submit script reads the same key. */
export function createModerationThrottle(
  redis: Redis | Cluster,
  keys: Pick<Keys, 'moderationBlocks' | 'moderationThrottle'>,
  { maxBlocks, windowMs, throttleMs }: ThrottlePolicy,
): ModerationThrottle {
  const run = createScript(redis, source);
  return {
    recordBlock: (tenant) =>
      translated(async () => {
        if (maxBlocks === 0) return false;
        const names = [keys.moderationBlocks(tenant), keys.moderationThrottle(tenant)];
        return (await run(names, [maxBlocks, windowMs, throttleMs])) === 1;
      }),
    throttledForMs: (tenant) =>
      translated(async () => Math.max(0, await redis.pttl(keys.moderationThrottle(tenant)))),
  };
}
