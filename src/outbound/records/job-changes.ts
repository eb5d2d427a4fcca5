import type { Cluster, Redis } from 'ioredis';
import type { JobChanges } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { replayMs } from './scripts/append-change.ts';
import { translated } from './store-errors.ts';

/** Creates the log of changes: one Redis stream for each tenant that has or recently had a listener. */
export function createJobChanges(redis: Redis | Cluster, keys: Keys): JobChanges {
  return {
    open: (tenant) =>
      translated(async () => {
        const key = keys.changes(tenant);
        // The entry creates the stream. Readers skip it, because it names no job.
        if ((await redis.pexpire(key, 2 * replayMs)) === 0) {
          await redis.xadd(key, '*', 'opened', '1');
          await redis.pexpire(key, 2 * replayMs);
        }
        const [last] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
        return last?.[0] ?? '0-0';
      }),
    read: (tenant, from, limit) =>
      translated(async () => {
        const entries = await redis.xrange(keys.changes(tenant), from, '+', 'COUNT', limit);
        return entries.map(([position, fields]) => {
          const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
          const jobId = fields.includes('job') ? field('job') : null;
          return { position, jobId, from: Number(field('from')), to: Number(field('to')) };
        });
      }),
  };
}
