import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { healthFields } from '../destination-health-fields.ts';

interface Interruption {
  readonly tenant: string;
  readonly destinationKey: string;
  /** Whether the destination becomes healthy. */
  readonly resetsHealth: boolean;
}

/**
 * KEYS 1 destination
 * ARGV 1 '1' if the destination becomes healthy
 */
const source = `
if ARGV[1] == '1' then redis.call('HDEL', KEYS[1], ${healthFields.map((field) => `'${field}'`).join(', ')}) end
local run = redis.call('HGET', KEYS[1], 'leaseRun')
if run then redis.call('HSET', KEYS[1], 'interruptedRun', run) end
`;

/**
 * Prepares the step that makes the current run of a destination end at its next renewal, if there is one. The next run reads
 * the endpoint again.
 */
export function createInterruptRun(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async ({ tenant, destinationKey, resetsHealth }: Interruption): Promise<void> => {
    await run([keys.destination(tenant, destinationKey)], [resetsHealth ? '1' : '']);
  };
}
