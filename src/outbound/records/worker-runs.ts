import type { Cluster, Redis } from 'ioredis';
import type { JobKey, WorkerRuns } from '../../domain/ports.ts';
import { translated } from './store-errors.ts';

/** Lifetime of a worker's set after its last run began, in seconds. A later run counts no crash. */
const keptSeconds = 24 * 3600;

/**
 * Creates the register of the runs of worker processes: one set of jobs per process. A run that ends is removed, so the set
 * of a killed process names exactly the runs that ended with it.
 *
 * @param worker name of this process, unique for each start.
 */
export function createWorkerRuns(
  redis: Redis | Cluster,
  keys: { workerRuns(worker: string): string },
  worker: string,
): WorkerRuns {
  const own = keys.workerRuns(worker);
  const member = ({ tenant, id }: JobKey) => `${tenant}/${id}`;
  /** Ended runs that an outage of Redis left in the set. */
  const unremoved = new Set<string>();

  return {
    worker,
    begin: (job) =>
      translated(async () => {
        unremoved.delete(member(job));
        const left = [...unremoved];
        await Promise.all([
          redis.sadd(own, member(job)),
          redis.expire(own, keptSeconds),
          ...(left.length > 0 ? [redis.srem(own, ...left)] : []),
        ]);
        for (const each of left) unremoved.delete(each);
      }),
    async end(job) {
      unremoved.add(member(job));
      const removed = await redis.srem(own, member(job)).catch(() => null);
      if (removed !== null) unremoved.delete(member(job));
    },
    endedWith: (gone, job) =>
      translated(async () => {
        const key = keys.workerRuns(gone);
        const [wasRunning, runs] = await Promise.all([redis.sismember(key, member(job)), redis.scard(key)]);
        return wasRunning === 1 ? runs : 0;
      }),
    count: (workers) =>
      translated(() => Promise.all(workers.map((each) => redis.scard(keys.workerRuns(each))))),
  };
}
