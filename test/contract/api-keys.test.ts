import { beforeAll, describe, expect, it } from 'vitest';
import type { ApiKeyRecord } from '../../src/domain/api-key.ts';
import type { ApiKeys, PolicyChanges } from '../../src/domain/ports.ts';
import { createApiKeys } from '../../src/outbound/records/api-keys.ts';
import { createPolicyChanges } from '../../src/outbound/records/policy-changes.ts';
import { createTenants } from '../../src/outbound/records/tenants.ts';
import { apiKeyOf, auditBounds, keyAudit } from '../support/api-keys.ts';
import { connectTestStore, freshTenant, type TestStore } from '../support/store.ts';

let store: TestStore;
let apiKeys: ApiKeys;
let changes: PolicyChanges;

beforeAll(async () => {
  store = await connectTestStore();
  const { redis, keys } = store;
  apiKeys = createApiKeys(redis, keys, { audit: auditBounds });
  changes = createPolicyChanges(redis, keys);
});

const create = async (record: ApiKeyRecord) => apiKeys.create({ record, audit: keyAudit(record) });

describe('API keys', () => {
  it('returns a stored API key unchanged by its id', async () => {
    const record = apiKeyOf('key_1', {
      expiresAt: 99,
      budgets: [{ window: 'day', limitMicroUsd: 5, soft: true }],
    });
    await create(record);
    expect(await apiKeys.get('key_1')).toEqual(record);
    expect(await apiKeys.get('key_unknown')).toBeNull();
  });

  it('applies two concurrent updates of an API key one after the other', async () => {
    await create(apiKeyOf('key_2'));
    const rename = (text: string) => (record: ApiKeyRecord) => ({
      record: { ...record, name: `${record.name} ${text}` },
      audit: keyAudit(record),
    });
    await Promise.all(['a', 'b', 'c'].map((text) => apiKeys.update('key_2', rename(text))));
    const after = await apiKeys.get('key_2');
    expect(after?.version).toBe(4);
    expect(after?.name.split(' ').sort()).toEqual(['a', 'app', 'b', 'c']);
    expect((await store.redis.xlen(store.keys.audit('acme'))) >= 4).toBe(true);
  });

  it('writes nothing if the update of an API key is refused, and finds no unknown key to update', async () => {
    await create(apiKeyOf('key_3'));
    const refused = apiKeys.update('key_3', () => {
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    expect((await apiKeys.get('key_3'))?.version).toBe(1);
    expect(await apiKeys.update('key_none', () => null)).toBeNull();
  });

  it('refuses a key above the maximum of the tenant, and replays one that was created before', async () => {
    const { redis, keys } = store;
    const bounded = createApiKeys(redis, keys, { audit: auditBounds, maxKeys: 2 });
    const tenant = freshTenant();
    const add = (id: string) => {
      const record = apiKeyOf(`key_${tenant}_${id}`, { tenant });
      const claim = { keyHash: id, fingerprint: id, ttlMs: 60_000 };
      return bounded.create({ record, audit: keyAudit(record) }, claim);
    };
    expect([await add('1'), await add('2')]).toEqual([{ kind: 'created' }, { kind: 'created' }]);
    expect(await add('3')).toEqual({ kind: 'full', maxKeys: 2 });
    expect(await bounded.get(`key_${tenant}_3`)).toBeNull();
    expect(await add('2')).toMatchObject({ kind: 'replayed', record: { id: `key_${tenant}_2` } });
    const changed = await bounded.update(`key_${tenant}_1`, (record) => ({
      record: { ...record, name: 'renamed' },
      audit: keyAudit(record),
    }));
    expect(changed?.name).toBe('renamed');
    expect((await bounded.list({ tenant, limit: 10 })).keys).toHaveLength(2);
  });

  it('lists API keys in pages, newest first, for all tenants or for one tenant', async () => {
    const [one, two] = [freshTenant(), freshTenant()];
    for (let i = 1; i <= 5; i++) {
      await create(apiKeyOf(`key_${one}_${i}`, { tenant: one, createdAt: 1_000 * i }));
      await create(apiKeyOf(`key_${two}_${i}`, { tenant: two, createdAt: 1_000 * i + 1 }));
    }
    const pages: string[][] = [];
    for (let before: string | undefined; ; ) {
      const { keys, next } = await apiKeys.list({ tenant: one, limit: 2, before });
      pages.push(keys.map(({ id }) => id));
      if (next === null) break;
      before = next;
    }
    expect(pages).toEqual([
      [`key_${one}_5`, `key_${one}_4`],
      [`key_${one}_3`, `key_${one}_2`],
      [`key_${one}_1`],
    ]);
    const all = await apiKeys.list({ limit: 3 });
    expect(all.keys.map(({ id }) => id)).toEqual([`key_${two}_5`, `key_${one}_5`, `key_${two}_4`]);
    expect(await apiKeys.list({ tenant: 'unknown', limit: 2 })).toEqual({ keys: [], next: null });
  });
});

describe('rules of a tenant', () => {
  it('creates and updates the rules of a tenant, and lists the tenants that have rules', async () => {
    const tenants = createTenants(store.redis, store.keys, { audit: auditBounds });
    const name = freshTenant();
    expect(await tenants.get(name)).toBeNull();
    const audit = keyAudit({ tenant: name, id: name });
    const weigh = (weight: number) =>
      tenants.update(name, (record) => ({
        record: {
          version: 0,
          name,
          createdAt: 1,
          updatedAt: 1,
          ...record,
          weight: (record?.weight ?? 0) + weight,
        },
        audit,
      }));
    await Promise.all([weigh(1), weigh(2), weigh(4)]);
    expect(await tenants.get(name)).toMatchObject({ name, version: 3, weight: 7 });
    expect((await tenants.list()).map((each) => each.name)).toEqual([name]);
  });

  it('writes nothing for a change that leaves the tenant as it is', async () => {
    const tenants = createTenants(store.redis, store.keys, { audit: auditBounds });
    const name = freshTenant();
    expect(await tenants.update(name, () => null)).toBeNull();
    expect((await tenants.list()).map((each) => each.name)).not.toContain(name);
    const record = { version: 0, name, createdAt: 1, updatedAt: 1 };
    const audit = keyAudit({ tenant: name, id: name });
    await tenants.update(name, () => ({ record, audit }));
    expect(await tenants.update(name, () => null)).toEqual(await tenants.get(name));
    expect(await tenants.get(name)).toMatchObject({ version: 1 });
  });
});

describe('the log of changed keys and tenants', () => {
  it('names every changed key and tenant after a position once', async () => {
    const { position, changes: none } = await changes.read(null);
    expect(none).toEqual([]);
    await create(apiKeyOf('key_log'));
    await apiKeys.update('key_log', () => null);
    const next = await changes.read(position);
    expect(next.changes).toEqual([
      { kind: 'key', name: 'key_log' },
      { kind: 'key', name: 'key_log' },
    ]);
    expect((await changes.read(next.position)).changes).toEqual([]);
  });

  it('reports that changes are missing if Redis lost the log', async () => {
    const { position } = await changes.read(null);
    await store.redis.del(store.keys.policyChanges);
    expect((await changes.read(position)).changes).toBeNull();
    await create(apiKeyOf('key_lost'));
    expect((await changes.read(position)).changes).toBeNull();
  });
});
