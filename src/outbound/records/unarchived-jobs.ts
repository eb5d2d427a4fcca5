import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { PurgedDays, UnarchivedJobs } from '../../domain/ports.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';
import { luaVersionOf, versionLength } from './versioned-json.ts';

/** KEYS 1 jobs, then a record for each job. ARGV id and version for each job. A changed job stays. */
const markSource = `${luaVersionOf}
for i = 2, #KEYS do
  local id, version = ARGV[2 * i - 3], ARGV[2 * i - 2]
  local stored = version_of(redis.call('GETRANGE', KEYS[i], 0, ${versionLength}))
  if not stored or stored == version then redis.call('ZREM', KEYS[1], id) end
end
return 1
`;

/** KEYS 1 lock. ARGV 1 owner. */
const releaseSource = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`;

const purgedFields = ['ledgerEnd', 'usageEnd', 'purgedDay'] as const satisfies (keyof PurgedDays)[];
const jobsPerCall = 100;
const scanCount = 1_000;
/** Lifetime of the lock of a writer that died, in milliseconds. Two writers at once only store some lines twice. */
const lockMs = 120_000;

/** Creates the index of ended jobs whose lines of the ledger are not archived, and the state of the archive. */
export function createUnarchivedJobs(redis: Redis | Cluster, keys: Keys): UnarchivedJobs {
  const mark = createScript(redis, markSource);
  const release = createScript(redis, releaseSource);

  /** Reads all members of a sorted set, page by page. A member that is present all the time is never missing. */
  async function* membersOf(key: string): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const [next, flat] = await redis.zscan(key, cursor, 'COUNT', scanCount);
      yield flat.filter((_, i) => i % 2 === 0);
      cursor = next;
    } while (cursor !== '0');
  }

  async function addAll(tenant: string): Promise<void> {
    for await (const ids of membersOf(keys.due(tenant))) {
      const members = ids.flatMap((id) => [0, id]);
      if (members.length > 0) await redis.zadd(keys.usage(tenant, 'unarchived'), 'NX', ...members);
    }
    await redis.hset(keys.usage(tenant, 'archive'), 'scanned', '1');
  }

  async function liveIds(tenant: string): Promise<string[]> {
    const all = new Set<string>();
    // Unfinished jobs come first, because a job moves from there into the index of unarchived jobs.
    for (const key of [keys.open(tenant), keys.usage(tenant, 'unarchived')]) {
      for await (const ids of membersOf(key)) for (const id of ids) all.add(id);
    }
    return [...all].sort();
  }

  return {
    list: (tenant, { offset, limit }) =>
      translated(() => redis.zrange(keys.usage(tenant, 'unarchived'), offset, String(offset + limit - 1))),
    liveIds: (tenant) => translated(() => liveIds(tenant)),
    oldestMs: (tenant) =>
      translated(async () => {
        const [, score] = await redis.zrange(keys.usage(tenant, 'unarchived'), 0, '0', 'WITHSCORES');
        return score === undefined ? null : Number(score);
      }),
    markArchived: (tenant, jobs) =>
      translated(async () => {
        for (let i = 0; i < jobs.length; i += jobsPerCall) {
          const some = jobs.slice(i, i + jobsPerCall);
          await mark(
            [keys.usage(tenant, 'unarchived'), ...some.map(({ id }) => keys.job(tenant, id))],
            some.flatMap(({ id, version }) => [id, version]),
          );
        }
      }),
    addEarlierReleases: (tenant) =>
      translated(async () => {
        if ((await redis.hget(keys.usage(tenant, 'archive'), 'scanned')) === null) await addAll(tenant);
      }),
    purged: (tenant) =>
      translated(async () => {
        const values = await redis.hmget(keys.usage(tenant, 'archive'), ...purgedFields);
        return Object.fromEntries(
          purgedFields.flatMap((field, i) => (values[i] == null ? [] : [[field, Number(values[i])]])),
        );
      }),
    setPurged: (tenant, purged) =>
      translated(async () => void (await redis.hset(keys.usage(tenant, 'archive'), purged))),
    lock: (tenant) =>
      translated(async () => {
        const owner = randomUUID();
        const key = keys.usage(tenant, 'archiver');
        if ((await redis.set(key, owner, 'PX', lockMs, 'NX')) === null) return null;
        return async () => void (await translated(() => release([key], [owner])));
      }),
  };
}
