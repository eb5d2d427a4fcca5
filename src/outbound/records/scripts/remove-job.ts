import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../../domain/image-job.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { CounterEntry, ProjectJob } from '../job-projections.ts';
import type { Keys } from '../keys.ts';
import { unsettledAsSpent } from '../money-counters.ts';
import { luaVersionOf, versionLength } from '../versioned-json.ts';

/**
 * KEYS 1 record, 2 jobs whose ledger is not archived, 3 size of all records, then the record's indexes, then counters.
 * ARGV 1 id, 2 expected version, 3 number of indexes, then field and amount for each counter
 * Returns 'removed' | 'missing' | 'unarchived' | the newer record
 */
const source = `${luaVersionOf}
local version = version_of(redis.call('GETRANGE', KEYS[1], 0, ${versionLength}))
if version and version ~= ARGV[2] then return redis.call('GET', KEYS[1]) end
if version and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'unarchived' end
if version and redis.call('DECRBY', KEYS[3], redis.call('STRLEN', KEYS[1])) <= 0 then redis.call('DEL', KEYS[3]) end
redis.call('DEL', KEYS[1])
local last_index = 3 + tonumber(ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
for i = 4, last_index do redis.call('ZREM', KEYS[i], ARGV[1]) end
if not version then return 'missing' end
for i = last_index + 1, #KEYS do
  local arg = 4 + 2 * (i - last_index - 1)
  redis.call('HINCRBY', KEYS[i], ARGV[arg], ARGV[arg + 1])
end
return 'removed'
`;

/** Result of a removal. `conflict` means that the record is newer than the given copy. */
export type RemoveReply =
  | { readonly kind: 'removed' }
  | { readonly kind: 'unarchived' }
  | { readonly kind: 'conflict'; readonly record: string };

/**
 * Prepares the removal of a record and its index entries. Idempotent. Counters stay, because usage outlives the records. A
 * hold that nothing settled becomes spent, because no later step could find it. A removable job has ended, so it holds no
 * open slot. A job whose lines of the ledger are not archived stays.
 */
export function createRemoveJob(redis: Redis | Cluster, keys: Keys, project: ProjectJob) {
  const run = createScript(redis, source);
  return async (job: ImageJob): Promise<RemoveReply> => {
    const { tenant, id, version } = job;
    const indexes = [keys.open(tenant), ...project(keys, job).indexes.map(({ key }) => key)];
    const counters: CounterEntry[] = unsettledAsSpent(keys, job);
    const reply = (await run(
      [
        ...[keys.job(tenant, id), keys.usage(tenant, 'unarchived'), keys.recordBytes(tenant)],
        ...indexes,
        ...counters.map(({ key }) => key),
      ],
      [id, version, indexes.length, ...counters.flatMap(({ field, amount }) => [field, amount])],
    )) as string;
    if (reply === 'unarchived') return { kind: 'unarchived' };
    return reply === 'removed' || reply === 'missing'
      ? { kind: 'removed' }
      : { kind: 'conflict', record: reply };
  };
}
