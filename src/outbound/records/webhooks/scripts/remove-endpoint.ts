import type { Cluster, Redis } from 'ioredis';
import type { AuditEntry } from '../../../../domain/audit.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { type AuditBounds, luaAppendAudit } from '../../scripts/append-audit.ts';

interface EndpointRemoval {
  readonly tenant: string;
  readonly id: string;
  /** Event patterns whose subscriptions are removed. */
  readonly patterns: readonly string[];
  readonly audit?: AuditEntry | undefined;
}

/**
 * KEYS 1 row, 2 endpoints, 3 audit log, 4 delivery queues, then one set for each pattern
 * ARGV 1 id, 2 audit entry or '', 3 retention of the log in ms, 4 its maximum length
 * Returns 1 if the endpoint existed. Its delivery queue becomes due, so that the reconciler starts the run that ends the
 * pending deliveries if this process cannot.
 */
const source = `${luaAppendAudit}
local existed = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[4], 'XX', 0, ARGV[1])
for i = 5, #KEYS do redis.call('SREM', KEYS[i], ARGV[1]) end
if existed == 1 and ARGV[2] ~= '' then append_audit(KEYS[3], ARGV[2], ARGV[3], ARGV[4]) end
return existed
`;

/** Prepares the removal of an endpoint, its subscriptions and its position in the list, with the entry in the audit log. */
export function createRemoveEndpoint(redis: Redis | Cluster, keys: Keys, bounds: AuditBounds) {
  const run = createScript(redis, source);
  return async ({ tenant, id, patterns, audit }: EndpointRemoval): Promise<boolean> => {
    const subscriptions = patterns.map((pattern) => keys.subscribers(tenant, pattern));
    const names = [
      ...[keys.endpoint(tenant, id), keys.endpoints(tenant), keys.audit(tenant), keys.deliveryQueues(tenant)],
      ...subscriptions,
    ];
    const entry = audit ? JSON.stringify(audit) : '';
    return (await run(names, [id, entry, bounds.ttlMs, bounds.maxEntries])) === 1;
  };
}
