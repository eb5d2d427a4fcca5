import type { Cluster, Redis } from 'ioredis';
import type { AuditEntry } from '../../../../domain/audit.ts';
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
}

/** Result of a write. `conflict` means that another process wrote first. `record` is the newer endpoint as stored. */
type EndpointWriteReply =
  | { readonly kind: 'written' }
  | { readonly kind: 'conflict'; readonly record: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'limit_reached' };

/**
 * KEYS 1 row, 2 endpoints, 3 audit log, then one set for each pattern
 * ARGV 1 expected version, 0 for a new endpoint, 2 row, 3 id, 4 maximum number of endpoints, 5 audit entry or '', 6 retention
 *      of the log in ms, 7 its maximum length, then for each pattern '1' if the endpoint subscribes to it
 * Returns {'written'} | {'conflict', row} | {'missing'} | {'limit_reached'}
 */
const source = `${luaVersionOf}${luaAppendAudit}
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
for i = 4, #KEYS do redis.call(ARGV[i + 4] == '1' and 'SADD' or 'SREM', KEYS[i], id) end
if ARGV[5] ~= '' then append_audit(KEYS[3], ARGV[5], ARGV[6], ARGV[7]) end
return {'written'}
`;

/** Prepares the compare-and-set of an endpoint together with its subscriptions and the entry in the audit log. */
export function createWriteEndpoint(redis: Redis | Cluster, keys: Keys, bounds: AuditBounds) {
  const run = createScript(redis, source);
  return async (write: EndpointWrite): Promise<EndpointWriteReply> => {
    const { endpoint, expectedVersion = 0, patterns, maxEndpoints = 0, audit } = write;
    const { tenant, id } = endpoint;
    // A disabled endpoint stays subscribed, so that its events can be recovered.
    const subscribes = (pattern: string) => endpoint.events.includes(pattern);
    const reply = await run(
      [
        keys.endpoint(tenant, id),
        keys.endpoints(tenant),
        keys.audit(tenant),
        ...patterns.map((pattern) => keys.subscribers(tenant, pattern)),
      ],
      [
        ...[expectedVersion, encodeVersioned(endpoint), id, maxEndpoints],
        ...[audit ? JSON.stringify(audit) : '', bounds.ttlMs, bounds.maxEntries],
        ...patterns.map((pattern) => (subscribes(pattern) ? '1' : '0')),
      ],
    );
    return parseReply(reply as string[]);
  };
}

function parseReply([kind, record = '']: readonly string[]): EndpointWriteReply {
  if (kind === 'written' || kind === 'limit_reached') return { kind };
  return kind === 'conflict' ? { kind, record } : { kind: 'missing' };
}
