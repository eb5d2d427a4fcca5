import type { Cluster, Redis } from 'ioredis';
import type { AuditEntry } from '../../../../domain/audit.ts';
import type { IdempotencyClaim } from '../../../../domain/ports.ts';
import type { WebhookEndpoint } from '../../../../domain/webhook-endpoint.ts';
import { createScript } from '../../../../lib/redis/script.ts';
import type { Keys } from '../../keys.ts';
import { type AuditBounds, luaAppendAudit } from '../../scripts/append-audit.ts';
import { encodeVersioned, luaVersionOf } from '../../versioned-json.ts';

interface EndpointWrite {
  readonly endpoint: WebhookEndpoint;
  /** Version that the change is based on; absent for a new endpoint. */
  readonly expectedVersion?: number;
  /** Event patterns whose subscriptions are written. Includes the patterns of the previous version. */
  readonly patterns: readonly string[];
  /** Maximum number of endpoints of the tenant, checked for a new endpoint. */
  readonly maxEndpoints?: number;
  /** Entry in the audit log. Absent for a change without an author. */
  readonly audit?: AuditEntry | undefined;
  /** Idempotency claim of a new endpoint. */
  readonly claim?: IdempotencyClaim | undefined;
}

/**
 * Result of a write. `conflict` means that another process wrote first. `record` is the newer endpoint as stored. `claimed` means
 * that an earlier write has the claim.
 */
type EndpointWriteReply =
  | { readonly kind: 'written' }
  | { readonly kind: 'conflict'; readonly record: string }
  | { readonly kind: 'claimed'; readonly fingerprint: string; readonly id: string }
  | { readonly kind: 'missing' | 'limit_reached' };

/**
 * KEYS 1 row, 2 endpoints, 3 audit log, 4 delivery queues, then one set for each pattern, then the claim if there is one
 * ARGV 1 expected version, 0 for a new endpoint, 2 row, 3 id, 4 maximum number of endpoints, 5 audit entry or '', 6 retention
 *      of the log in ms, 7 its maximum length, 8 '1' if the endpoint is disabled, 9 fingerprint, space, id for the claim or '',
 *      10 lifetime of the claim in ms, then for each pattern '1' if the endpoint subscribes to it
 * Returns {'written'} | {'conflict', row} | {'claimed', fingerprint, space, id} | {'missing'} | {'limit_reached'}. The delivery
 * queue of a disabled endpoint becomes due, so that the reconciler starts the run that ends the pending deliveries if this
 * process cannot.
 */
const source = `${luaVersionOf}${luaAppendAudit}
local has_claim = ARGV[9] ~= ''
local claimed = has_claim and redis.call('GET', KEYS[#KEYS])
if claimed then return {'claimed', claimed} end
local row = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return {'limit_reached'} end
else
  if not row then return {'missing'} end
  if version_of(row) ~= ARGV[1] then return {'conflict', row} end
end
local id = ARGV[3]
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, id)
if ARGV[8] == '1' then redis.call('ZADD', KEYS[4], 'XX', 0, id) end
for i = 5, #KEYS - (has_claim and 1 or 0) do
  redis.call(ARGV[i + 6] == '1' and 'SADD' or 'SREM', KEYS[i], id)
end
if has_claim then redis.call('SET', KEYS[#KEYS], ARGV[9], 'PX', ARGV[10]) end
if ARGV[5] ~= '' then append_audit(KEYS[3], ARGV[5], ARGV[6], ARGV[7]) end
return {'written'}
`;

/** Prepares the compare-and-set of an endpoint together with its subscriptions and the entry in the audit log. */
export function createWriteEndpoint(redis: Redis | Cluster, keys: Keys, bounds: AuditBounds) {
  const run = createScript(redis, source);
  return async (write: EndpointWrite): Promise<EndpointWriteReply> => {
    const { endpoint, expectedVersion = 0, patterns, maxEndpoints = 0, audit, claim } = write;
    const { tenant, id } = endpoint;
    // A disabled endpoint stays subscribed, so that its events can be recovered.
    const subscribes = (pattern: string) => endpoint.events.includes(pattern);
    const reply = await run(
      [
        keys.endpoint(tenant, id),
        keys.endpoints(tenant),
        keys.audit(tenant),
        keys.deliveryQueues(tenant),
        ...patterns.map((pattern) => keys.subscribers(tenant, pattern)),
        ...(claim ? [keys.idempotency(tenant, `endpoints:${claim.keyHash}`)] : []),
      ],
      [
        ...[expectedVersion, encodeVersioned(endpoint), id, maxEndpoints],
        ...[audit ? JSON.stringify(audit) : '', bounds.ttlMs, bounds.maxEntries],
        ...[endpoint.disabled ? '1' : '0', claim ? `${claim.fingerprint} ${id}` : '', claim?.ttlMs ?? 0],
        ...patterns.map((pattern) => (subscribes(pattern) ? '1' : '0')),
      ],
    );
    return parseReply(reply as string[]);
  };
}

function parseReply([kind, more = '']: readonly string[]): EndpointWriteReply {
  if (kind === 'written' || kind === 'missing' || kind === 'limit_reached') return { kind };
  if (kind !== 'claimed') return { kind: 'conflict', record: more };
  const [fingerprint = '', id = ''] = more.split(' ');
  return { kind, fingerprint, id };
}
