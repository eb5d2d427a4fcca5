import type { Cluster, Redis } from 'ioredis';
import type { AuditEntry } from '../../../domain/audit.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { Keys } from '../keys.ts';
import { encodeVersioned, luaVersionOf } from '../versioned-json.ts';
import { type AuditBounds, luaAppendAudit } from './append-audit.ts';

interface PolicyWrite {
  readonly tenant: string;
  /** Redis key of the record. */
  readonly key: string;
  readonly record: { readonly version: number };
  /** Version that the change is based on; 0 for a new record. */
  readonly expectedVersion: number;
  readonly audit: AuditEntry;
  /** Index of the record, and its position there. No new record is written if the index has `maxMembers`. */
  readonly index?:
    | { readonly key: string; readonly member: string; readonly maxMembers?: number | undefined }
    | undefined;
  /** Idempotency claim of a new record that has an index. */
  readonly claim?:
    | { readonly key: string; readonly fingerprint: string; readonly id: string; readonly ttlMs: number }
    | undefined;
}

/**
 * Result of a write. `conflict` means that another process wrote first; `record` is the newer record as stored. `claimed` means
 * that an earlier write has the claim. `full` means that the index takes no new record.
 */
type PolicyWriteReply =
  | { readonly kind: 'written' }
  | { readonly kind: 'conflict'; readonly record: string }
  | { readonly kind: 'claimed'; readonly fingerprint: string; readonly id: string }
  | { readonly kind: 'missing' | 'full' };

/**
 * KEYS 1 record, 2 audit log, 3 index if there is one, 4 claim if there is one
 * ARGV 1 expected version, 0 for a new record, 2 record, 3 audit entry, 4 retention of the log in ms, 5 its maximum length,
 *      6 position in the index, 7 maximum length of the index, 8 fingerprint, space, id for the claim, 9 lifetime of the claim
 *      in ms
 * Returns {'written'} | {'conflict', record} | {'claimed', fingerprint, space, id} | {'missing'} | {'full'}
 */
const source = `${luaVersionOf}${luaAppendAudit}
local claimed = KEYS[4] and redis.call('GET', KEYS[4])
if claimed then return {'claimed', claimed} end
local row = redis.call('GET', KEYS[1])
if row then
  if version_of(row) ~= ARGV[1] then return {'conflict', row} end
elseif ARGV[1] ~= '0' then
  return {'missing'}
elseif KEYS[3] and ARGV[7] ~= '' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[7]) then
  return {'full'}
end
redis.call('SET', KEYS[1], ARGV[2])
if KEYS[4] then redis.call('SET', KEYS[4], ARGV[8], 'PX', ARGV[9]) end
if KEYS[3] then redis.call('ZADD', KEYS[3], 0, ARGV[6]) end
append_audit(KEYS[2], ARGV[3], ARGV[4], ARGV[5])
return {'written'}
`;

/** Prepares the compare-and-set of a key or a tenant together with the entry in the audit log. */
export function createWritePolicy(redis: Redis | Cluster, keys: Keys, bounds: AuditBounds) {
  const run = createScript(redis, source);
  return async (write: PolicyWrite): Promise<PolicyWriteReply> => {
    const { tenant, key, record, expectedVersion, audit, index, claim } = write;
    const reply = await run(
      [key, keys.audit(tenant), ...(index ? [index.key] : []), ...(claim ? [claim.key] : [])],
      [
        ...[expectedVersion, encodeVersioned(record), JSON.stringify(audit)],
        ...[bounds.ttlMs, bounds.maxEntries, index?.member ?? '', index?.maxMembers ?? ''],
        ...(claim ? [`${claim.fingerprint} ${claim.id}`, claim.ttlMs] : []),
      ],
    );
    return parseReply(reply as string[]);
  };
}

function parseReply([kind, more = '']: readonly string[]): PolicyWriteReply {
  if (kind === 'written' || kind === 'missing' || kind === 'full') return { kind };
  if (kind !== 'claimed') return { kind: 'conflict', record: more };
  const [fingerprint = '', id = ''] = more.split(' ');
  return { kind, fingerprint, id };
}
