import type { Cluster, Redis } from 'ioredis';
import type { AuditedChange, OnUnreadable, Tenants } from '../../domain/ports.ts';
import { TenantRecord } from '../../domain/tenant.ts';
import type { Keys } from './keys.ts';
import { createAnnouncePolicy } from './policy-changes.ts';
import { readableRows } from './readable-rows.ts';
import type { AuditBounds } from './scripts/append-audit.ts';
import { createWritePolicy } from './scripts/write-policy.ts';
import { translated } from './store-errors.ts';
import { decodeVersioned } from './versioned-json.ts';

interface Options {
  /** Bounds of the audit log, which every change is written to. */
  readonly audit: AuditBounds;
  /** Called for each record that a list skips. */
  readonly onUnreadable?: OnUnreadable | undefined;
}

/** Creates the store of the rules of tenants in Redis. */
export function createTenants(redis: Redis | Cluster, keys: Keys, { audit, onUnreadable }: Options): Tenants {
  const writePolicy = createWritePolicy(redis, keys, audit);
  const announce = createAnnouncePolicy(redis, keys);
  const decode = (text: string) => decodeVersioned(TenantRecord, text);

  async function read(name: string): Promise<TenantRecord | null> {
    const text = await redis.get(keys.tenant(name));
    return text === null ? null : decode(text);
  }

  async function update(
    name: string,
    change: (record: TenantRecord | null) => AuditedChange<TenantRecord> | null,
  ): Promise<TenantRecord | null> {
    for (let current = await read(name); ; ) {
      const next = change(current);
      if (next === null) return current;
      // The row comes first, because a row without a record is skipped and a record without a row cannot be found.
      await redis.sadd(keys.tenantRecords, name);
      const expectedVersion = current?.version ?? 0;
      const record = { ...next.record, version: expectedVersion + 1 };
      const key = keys.tenant(name);
      const reply = await writePolicy({ tenant: name, key, record, expectedVersion, audit: next.audit });
      if (reply.kind === 'written') return record;
      current = reply.kind === 'conflict' ? decode(reply.record) : null;
    }
  }

  return {
    get: (name) => translated(() => read(name)),
    update: (name, change) =>
      translated(async () => {
        const record = await update(name, change);
        await announce({ kind: 'tenant', name });
        return record;
      }),
    list: () =>
      translated(async () => {
        const names = (await redis.smembers(keys.tenantRecords)).sort();
        const texts = await Promise.all(names.map((name) => redis.get(keys.tenant(name))));
        return readableRows(names, texts, {
          decode,
          onUnreadable: (id, error) => onUnreadable?.({ kind: 'tenant', tenant: id, id, error }),
        });
      }),
  };
}
