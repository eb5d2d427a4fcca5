import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../../domain/image-job.ts';
import { claimThatEnds, minClaimMs } from '../../../domain/retention.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { CounterEntry, ProjectJob } from '../job-projections.ts';
import type { Keys } from '../keys.ts';
import { unsettledAsSpent } from '../money-counters.ts';
import { luaVersionOf, versionLength } from '../versioned-json.ts';

/**
 * KEYS 1 record, 2 jobs whose ledger is not archived, 3 size of all records, 4 idempotency claim (unused if it stays),
 *      then the record's indexes, then counters.
 * ARGV 1 id, 2 expected version, 3 number of indexes, 4 TTL of the claim at the submission in ms, or '-' if the claim stays,
 *      then field and amount for each counter
 * Returns 'removed' | 'missing' | 'unarchived' | the newer record
 */
const source = `${luaVersionOf}
local version = version_of(redis.call('GETRANGE', KEYS[1], 0, ${versionLength}))
if version and version ~= ARGV[2] then return redis.call('GET', KEYS[1]) end
if version and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'unarchived' end
local size = redis.call('STRLEN', KEYS[1])
-- The first write needs no memory, because a full Redis refuses a script whose first write needs some.
redis.call('DEL', KEYS[1])
if version and redis.call('DECRBY', KEYS[3], size) <= 0 then redis.call('DEL', KEYS[3]) end
local last_index = 4 + tonumber(ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
for i = 5, last_index do redis.call('ZREM', KEYS[i], ARGV[1]) end
if not version then return 'missing' end
-- The key may name a later job, because the claim of this one has expired.
local claim = ARGV[4] ~= '-' and redis.call('GET', KEYS[4])
if claim and string.match(claim, '^%S+ (%S+)') == ARGV[1] then
  local age = tonumber(ARGV[4]) - redis.call('PTTL', KEYS[4])
  -- A TTL below 1 deletes the claim.
  redis.call('PEXPIRE', KEYS[4], ${minClaimMs} - age)
end
for i = last_index + 1, #KEYS do
  local arg = 5 + 2 * (i - last_index - 1)
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
 * open slot. A job whose lines of the ledger are not archived stays. The idempotency claim of a job that cost nothing ends
 * early, see `claimThatEnds`.
 */
export function createRemoveJob(redis: Redis | Cluster, keys: Keys, project: ProjectJob) {
  const run = createScript(redis, source);
  return async (job: ImageJob): Promise<RemoveReply> => {
    const { tenant, id, version } = job;
    const indexes = [keys.open(tenant), ...project(keys, job).indexes.map(({ key }) => key)];
    const counters: CounterEntry[] = unsettledAsSpent(keys, job);
    const claim = claimThatEnds(job);
    const reply = (await run(
      [
        ...[keys.job(tenant, id), keys.usage(tenant, 'unarchived'), keys.recordBytes(tenant)],
        keys.idempotency(tenant, claim?.keyHash ?? '-'),
        ...indexes,
        ...counters.map(({ key }) => key),
      ],
      [
        id,
        version,
        indexes.length,
        claim?.ttlMs ?? '-',
        ...counters.flatMap(({ field, amount }) => [field, amount]),
      ],
    )) as string;
    if (reply === 'unarchived') return { kind: 'unarchived' };
    return reply === 'removed' || reply === 'missing'
      ? { kind: 'removed' }
      : { kind: 'conflict', record: reply };
  };
}
