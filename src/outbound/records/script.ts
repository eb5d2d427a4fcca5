import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** A Redis script, sent by digest and in full only where the server does not know it yet. */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * Prepares a Lua script. All keys it touches must be given in `keys` and share one hash tag, so that it runs
 * atomically on a cluster as well.
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
