import type { Cluster, Redis } from 'ioredis';
import type { BudgetThresholds, ThresholdMark } from '../../../domain/ports.ts';
import { createScript } from '../../../lib/redis/script.ts';
import { type Keys, subscribersOf } from '../keys.ts';

/**
 * KEYS 1 money counters, 2 marks, 3 outbox, 4 and 5 subscriptions, then the events
 * ARGV 1 name of the mark, 2 now, then for each event: percent, id, body
 * Returns the ids of the events that were written.
 */
const source = `
redis.call('ZREM', KEYS[2], ARGV[1])
local owner, kind, window = string.match(ARGV[1], '^(%S+) (%S+) (%S+) ')
local field = owner .. '.level.' .. kind
local known_window, known = string.match(redis.call('HGET', KEYS[1], field) or '', '^(%S+) (%d+)$')
local reached = known_window == window and tonumber(known) or 0
local is_wanted = redis.call('EXISTS', KEYS[4], KEYS[5]) > 0
local written = {}
for i = 6, #KEYS do
  local arg = 3 + 3 * (i - 6)
  local percent, id = tonumber(ARGV[arg]), ARGV[arg + 1]
  if percent > reached then
    redis.call('HSET', KEYS[1], field, window .. ' ' .. ARGV[arg])
    if is_wanted then
      redis.call('SET', KEYS[i], ARGV[arg + 2])
      redis.call('ZADD', KEYS[3], ARGV[2], id)
      written[#written + 1] = id
    end
  end
end
return written
`;

/** Prepares the step that removes a mark and writes the events of its thresholds, those of lower percentages first. */
export function createResolveThreshold(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (
    tenant: string,
    { name, atMs }: ThresholdMark,
    events: Parameters<BudgetThresholds['resolve']>[2],
  ): Promise<string[]> =>
    (await run(
      [
        keys.spend(tenant),
        keys.thresholds(tenant),
        keys.outbox(tenant),
        ...subscribersOf(keys, tenant, 'budget.threshold'),
        ...events.map(({ id }) => keys.event(tenant, id)),
      ],
      [name, atMs, ...events.flatMap(({ percent, id, body }) => [percent, id, body])],
    )) as string[];
}
