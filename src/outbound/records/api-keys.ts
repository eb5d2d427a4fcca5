import type { Cluster, Redis } from 'ioredis';
import { ApiKeyRecord } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type {
  ApiKeys,
  AuditedChange,
  IdempotencyClaim,
  KeyCreation,
  OnUnreadable,
} from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { createAnnouncePolicy } from './policy-changes.ts';
import type { AuditBounds } from './scripts/append-audit.ts';
import { createWritePolicy } from './scripts/write-policy.ts';
import { translated } from './store-errors.ts';
import { decodeVersioned } from './versioned-json.ts';

interface Options {
  /** Bounds of the audit log, which every change is written to. */
  readonly audit: AuditBounds;
  /** Maximum number of keys of a tenant, revoked ones included. Default: no limit. */
  readonly maxKeys?: number | undefined;
  /** Called for each record that a list skips. */
  readonly onUnreadable?: OnUnreadable | undefined;
}

/**
 * Creates the store of API keys in Redis. It stores secrets only as digests. A record shares the hash tag of its tenant, so
 * that a change and its audit entry are one atomic step. A second row finds the tenant of an id.
 */
export function createApiKeys(
  redis: Redis | Cluster,
  keys: Keys,
  { audit, maxKeys, onUnreadable }: Options,
): ApiKeys {
  const writePolicy = createWritePolicy(redis, keys, audit);
  const announce = createAnnouncePolicy(redis, keys);
  const decode = (text: string) => decodeVersioned(ApiKeyRecord, text);

  async function readOf(tenant: string, id: string): Promise<ApiKeyRecord | null> {
    const text = await redis.get(keys.apiKey(tenant, id));
    return text === null ? null : decode(text);
  }

  async function read(id: string): Promise<ApiKeyRecord | null> {
    const tenant = await redis.get(keys.apiKeyTenant(id));
    return tenant === null ? null : readOf(tenant, id);
  }

  async function readOrSkip({ tenant, id }: Position): Promise<ApiKeyRecord | null> {
    try {
      return await readOf(tenant, id);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      onUnreadable?.({ kind: 'api_key', tenant, id, error });
      return null;
    }
  }

  function write(
    expectedVersion: number,
    { record, audit }: AuditedChange<ApiKeyRecord>,
    claim?: IdempotencyClaim,
  ) {
    const { tenant, id } = record;
    const index = { key: keys.apiKeysOf(tenant), member: positionOf(record), maxMembers: maxKeys };
    return writePolicy({
      ...{ tenant, key: keys.apiKey(tenant, id), record, expectedVersion, audit, index },
      claim: claim && { ...claim, key: keys.idempotency(tenant, `keys:${claim.keyHash}`), id },
    });
  }

  async function create(
    change: AuditedChange<ApiKeyRecord>,
    claim: IdempotencyClaim | undefined,
  ): Promise<KeyCreation> {
    const { tenant, id } = change.record;
    const position = positionOf(change.record);
    // Both rows come first, because a row without a record is skipped and a record without a row cannot be found.
    await redis.set(keys.apiKeyTenant(id), tenant);
    await redis.zadd(keys.apiKeys, 0, position);
    const reply = await write(0, change, claim);
    if (reply.kind === 'written') {
      // A failure would lose the text of the key, and no process has the new id in its cache.
      await announce({ kind: 'key', name: id }).catch(() => {});
      return { kind: 'created' };
    }
    await redis.del(keys.apiKeyTenant(id));
    await redis.zrem(keys.apiKeys, position);
    if (reply.kind === 'full') return { kind: 'full', maxKeys: maxKeys ?? 0 };
    if (reply.kind !== 'claimed' || reply.fingerprint !== claim?.fingerprint) return { kind: 'key_reused' };
    const record = await readOf(tenant, reply.id);
    return record ? { kind: 'replayed', record } : { kind: 'key_reused' };
  }

  async function update(
    id: string,
    change: (record: ApiKeyRecord) => AuditedChange<ApiKeyRecord> | null,
  ): Promise<ApiKeyRecord | null> {
    for (let current = await read(id); current; ) {
      const next = change(current);
      if (next === null) return current;
      const record = { ...next.record, version: current.version + 1 };
      const reply = await write(current.version, { record, audit: next.audit });
      if (reply.kind === 'written') return record;
      current = reply.kind === 'conflict' ? decode(reply.record) : null;
    }
    return null;
  }

  return {
    get: (id) => translated(() => read(id)),
    create: (change, claim) => translated(() => create(change, claim)),
    update: (id, change) =>
      translated(async () => {
        const record = await update(id, change);
        if (record) await announce({ kind: 'key', name: id });
        return record;
      }),
    list: ({ tenant, limit, before }) =>
      translated(async () => {
        const index = tenant === undefined ? keys.apiKeys : keys.apiKeysOf(tenant);
        const below = before === undefined ? '+' : `(${before}`;
        const positions = await redis.zrevrangebylex(index, below, '-', 'LIMIT', 0, limit + 1);
        const page = positions.slice(0, limit);
        const records = await Promise.all(page.map(parsePosition).map(readOrSkip));
        return {
          keys: records.filter((record) => record !== null),
          next: positions.length > limit ? (page.at(-1) ?? null) : null,
        };
      }),
  };
}

interface Position {
  readonly tenant: string;
  readonly id: string;
}

const timeLength = 13;

/** Returns the position of a key in the indexes: time of creation, id and tenant. */
function positionOf({ createdAt, id, tenant }: ApiKeyRecord): string {
  return `${String(createdAt).padStart(timeLength, '0')}:${id}:${tenant}`;
}

function parsePosition(position: string): Position {
  const [, id = '', tenant = ''] = position.split(':');
  return { tenant, id };
}
