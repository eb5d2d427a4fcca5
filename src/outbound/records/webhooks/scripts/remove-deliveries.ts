import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../../lib/redis/script.ts';

/**
 * Not a transaction, because a Redis whose memory is full refuses every transaction, and the removal frees memory.
 *
 * KEYS rows and logs to delete, then sorted sets
 * ARGV 1 number of the keys to delete, then for each sorted set the number of members to remove, and these
 */
const source = `
local delete_count, arg = tonumber(ARGV[1]), 2
for i = 1, delete_count do redis.call('DEL', KEYS[i]) end
for i = delete_count + 1, #KEYS do
  local last = arg + tonumber(ARGV[arg])
  for j = arg + 1, last do redis.call('ZREM', KEYS[i], ARGV[j]) end
  arg = last + 1
end
`;

interface Removal {
  /** Keys of rows and logs. */
  readonly deleted: readonly string[];
  /** Entries in indexes. */
  readonly entries: readonly { readonly index: string; readonly ids: readonly string[] }[];
}

/** Prepares the atomic removal of deliveries, their logs and their entries in indexes. */
export function createRemoveDeliveries(redis: Redis | Cluster): (removal: Removal) => Promise<void> {
  const run = createScript(redis, source);
  return async ({ deleted, entries }) => {
    const members = entries.flatMap(({ ids }) => [ids.length, ...ids]);
    await run([...deleted, ...entries.map(({ index }) => index)], [deleted.length, ...members]);
  };
}
