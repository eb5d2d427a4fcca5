import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** A Redis script. The client sends its digest, and the full text only if the server does not know the script. */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * Prepares a Lua script. `keys` must name every key that the script uses. All keys must share one hash tag, so that the
 * script runs atomically on a cluster too.
 */
export function createScript(redis: Redis | Cluster, source: string): Script {
  const digest = createHash('sha1').update(source).digest('hex');
  return async (keys, args) => {
    try {
      return await redis.evalsha(digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.eval(source, keys.length, ...keys, ...args);
    }
  };
}
