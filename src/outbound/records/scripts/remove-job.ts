import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../../domain/image-job.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { ProjectJob } from '../job-projections.ts';
import type { Keys } from '../keys.ts';

/** KEYS 1 record, then its indexes. ARGV 1 id. */
const source = `
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`;

/**
 * Prepares the removal of a record and its index entries. Idempotent. Counters stay, because usage outlives the records. A
 * removable job has ended, so it holds no open slot.
 */
export function createRemoveJob(redis: Redis | Cluster, keys: Keys, project: ProjectJob) {
  const run = createScript(redis, source);
  return async (job: ImageJob): Promise<void> => {
    const { tenant, id } = job;
    // Every index that may contain the record, because the given copy may be outdated.
    const indexes = project(keys, job).indexes.map(({ key }) => key);
    await run([keys.job(tenant, id), keys.open(tenant), ...indexes], [id]);
  };
}
