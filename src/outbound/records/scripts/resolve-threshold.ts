import type { Cluster, Redis } from 'ioredis';
import type { BudgetThresholds, ThresholdMark } from '../../../domain/ports.ts';
import { createScript } from '../../../lib/redis/script.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import { luaReportedShares } from './reported-shares.ts';

/**
 * KEYS 1 money counters, 2 marks, 3 outbox, 4 and 5 subscriptions, 6 event
 * ARGV 1 name of the mark, 2 now, 3 share, 4 limit, 5 id of the event, or '-' without an event, 6 its body
 * Returns 1 if the event was written.
 */
const source = `${luaReportedShares}
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[5] == '-' then return 0 end
local owner, kind, window = string.match(ARGV[1], '^(%S+) (%S+) (%S+) ')
local cap, share = {owner = owner, kind = kind, window = window, limit = ARGV[4]}, ARGV[3]
local reported, stored = reported_shares(KEYS[1], cap, tonumber(share))
if has_share(reported, share) then return 0 end
store_shares(KEYS[1], cap, reported .. share .. '+', stored)
if redis.call('EXISTS', KEYS[4], KEYS[5]) == 0 then return 0 end
redis.call('SET', KEYS[6], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[5])
return 1
`;

/** Prepares the step that removes a mark, writes its event and records that its share is reported. */
export function createResolveThreshold(redis: Redis | Cluster, keys: Keys) {
  const run = createScript(redis, source);
  return async (
    tenant: string,
    { name, atMs, percent }: ThresholdMark,
    event: Parameters<BudgetThresholds['resolve']>[2],
  ): Promise<boolean> => {
    const { id, limitMicroUsd, body } = event ?? { id: '-', limitMicroUsd: 0, body: '' };
    const names = [
      ...[keys.spend(tenant), keys.thresholds(tenant), keys.outbox(tenant)],
      ...[...subscribersOf(keys, tenant, 'budget.threshold'), keys.event(tenant, id)],
    ];
    return (await run(names, [name, atMs, percent, limitMicroUsd, id, body])) === 1;
  };
}
